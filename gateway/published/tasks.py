"""Tasks: what a request is in the words of A2A."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from a2a.helpers.proto_helpers import new_data_part
from a2a.types import Artifact, Message, Part, Role, Task, TaskState, TaskStatus
from attrs import field, frozen

from gateway.requests.schemas import Status
from gateway.streams.asking import Accepted
from gateway.streams.questions import Question
from shared.codec.text import read_json
from shared.domain.frames import Answer, FileMetadata
from shared.domain.usage import USAGE, tell_usage, usage_in

ANSWER, FILES = "answer", "files"  # the ids of artifacts
MESSAGE_NAME, CONTEXT_NAME = "message", "context"  # what clients have words of their own for

STATES: Mapping[Status, TaskState] = {
    "queued": TaskState.TASK_STATE_SUBMITTED,
    "running": TaskState.TASK_STATE_WORKING,
    "answered": TaskState.TASK_STATE_COMPLETED,
    "failed": TaskState.TASK_STATE_FAILED,
    "timed_out": TaskState.TASK_STATE_FAILED,
    "interrupted": TaskState.TASK_STATE_FAILED,
    "cancelled": TaskState.TASK_STATE_CANCELED,
}


@frozen(kw_only=True)
class StoredTask:
    """A request as a client of what is published is told of it."""

    id: UUID
    session_id: UUID
    status: Status
    changed_at: datetime
    error: str | None = None
    execution_time: float | None = None
    accepted_seq: int
    answer_seq: int | None = None
    message_id: UUID | None
    has_arguments: bool = False
    """Whether the question is JSON: what an agent was called with."""
    named: Mapping[str, str] = field(factory=dict)
    question: str | None = field(repr=False)
    answer: str | None = field(default=None, repr=False)
    """The stored answer, as JSON; None: there is none yet, or it is not told."""
    size: int = 0
    """The bytes of both texts; those that would be too many are not there."""
    files: Sequence[FileMetadata] = ()

    @classmethod
    def begun(cls, question: Question, accepted: Accepted) -> "StoredTask":
        """The task that has just begun."""
        return cls(
            id=accepted.request_id,
            session_id=accepted.session_id,
            status="queued",
            changed_at=datetime.now(UTC),
            accepted_seq=accepted.seq,
            message_id=accepted.message_id,
            has_arguments=question.has_arguments,
            named=question.named or {},
            question=question.message,
        )

    @property
    def has_ended(self) -> bool:
        """Whether nothing happens to it any more."""
        return self.status not in {"queued", "running"}

    @property
    def accepted(self) -> Accepted:
        """As it is followed."""
        return Accepted(
            self.id,
            self.session_id,
            self.message_id,
            self.accepted_seq,
            is_new=False,
            answer_seq=self.answer_seq,
        )

    @property
    def names(self) -> "Names":
        """What it is called."""
        return Names(str(self.id), self.named.get(CONTEXT_NAME) or str(self.session_id))


@frozen
class Names:
    """What clients call a task, and the session that it is in."""

    task_id: str
    context_id: str

    def say(self, name: str, text: str, metadata: Mapping[str, Any] | None = None) -> Message:
        """A message of the agent's about the task."""
        return Message(
            message_id=f"{self.task_id}:{name}",
            task_id=self.task_id,
            context_id=self.context_id,
            role=Role.ROLE_AGENT,
            parts=[Part(text=text)],
            metadata=metadata or None,
        )


def task_of(stored: StoredTask, files_url: str) -> Task:
    """The task, with all that is known of it; files are found below that address."""
    names, answer = stored.names, _answer(stored)
    status = TaskStatus(
        state=STATES[stored.status],
        timestamp=stored.changed_at,
        message=None if stored.error is None else names.say("status", stored.error),
    )
    return Task(
        id=names.task_id,
        context_id=names.context_id,
        status=status,
        artifacts=[*_artifacts(stored, answer, files_url)],
        history=[*_history(stored, files_url)],
        metadata=None if answer is None else used_in(answer),
    )


def used_in(answer: Answer) -> Mapping[str, Any] | None:
    """What the metadata of a task tell of the models that have worked on it, if it is known."""
    used = tell_usage(usage_in(answer))
    return {USAGE: used} if used else None


def answer_artifact(text: str) -> Artifact:
    """The answer, or a part of it."""
    return Artifact(artifact_id=ANSWER, name=ANSWER, parts=[Part(text=text)])


def files_artifact(files: Sequence[FileMetadata], files_url: str) -> Artifact:
    """The files that came with the answer."""
    return Artifact(artifact_id=FILES, name=FILES, parts=_file_parts(files, files_url))


def made(files: Sequence[FileMetadata]) -> list[FileMetadata]:
    """Those of a request's files that came with its answer."""
    return [each for each in files if each.from_agent]


def _answer(stored: StoredTask) -> Answer | None:
    if stored.status != "answered" or stored.answer is None:
        return None
    answer: Answer = read_json(stored.answer)
    return answer


def _artifacts(stored: StoredTask, answer: Answer | None, files_url: str) -> Sequence[Artifact]:
    if answer is None:
        return []
    artifacts = [answer_artifact(answer["response"])]
    if files := made(stored.files):
        artifacts.append(files_artifact(files, files_url))
    return artifacts


def _history(stored: StoredTask, files_url: str) -> Sequence[Message]:
    if stored.question is None:
        return []
    names = stored.names
    given = [each for each in stored.files if not each.from_agent]
    asked = _asked_part(stored.question, has_arguments=stored.has_arguments)
    message = Message(
        message_id=stored.named.get(MESSAGE_NAME) or str(stored.message_id),
        task_id=names.task_id,
        context_id=names.context_id,
        role=Role.ROLE_USER,
        parts=[*asked, *_file_parts(given, files_url)],
    )
    return [message]


def _asked_part(question: str, *, has_arguments: bool) -> list[Part]:
    if has_arguments:
        return [new_data_part(read_json(question))]
    return [Part(text=question)] if question else []


def _file_parts(files: Sequence[FileMetadata], files_url: str) -> list[Part]:
    return [
        Part(url=f"{files_url}{each.id}", filename=each.original_name, media_type=each.mimetype)
        for each in files
    ]
