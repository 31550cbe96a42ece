"""What happens to a request, as the updates of a task."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from a2a.types import Artifact, TaskArtifactUpdateEvent, TaskState, TaskStatus
from a2a.types import TaskStatusUpdateEvent as StatusUpdate
from attrs import define, field

from gateway.published.tasks import Names, answer_artifact, files_artifact, made, used_in
from gateway.requests.cancellation import CANCELLED
from gateway.streams.events import Part
from shared.domain.frames import FailureFrame, FileMetadata, LogFrame, ResponseFrame

DELTA_LIMIT = 64 * 1024  # characters of an event: clients take a few MiB at most

type Update = StatusUpdate | TaskArtifactUpdateEvent


@define
class Updates:
    """How far a client is with a task."""

    names: Names
    files_url: str
    _said: list[str] = field(factory=list, init=False)
    _is_working: bool = field(default=False, init=False)

    def tell(self, event: Part | LogFrame | ResponseFrame) -> Iterator[Update]:
        """What has happened; a response ends the task."""
        match event:
            case Part(agent_id=None, text=text):
                return self._say(text)
            case Part(agent_id=agent_id, index=index, text=text):
                name = f"{agent_id}:{index}"
                return self._work(name, text, {"agentId": str(agent_id)})
            case LogFrame():
                return self._log(event)
        return self._end(event)

    def _say(self, text: str) -> Iterator[Update]:
        if not self._is_working:
            self._is_working = True
            yield self._status(TaskState.TASK_STATE_WORKING)
        yield from self._go_on(text)

    def _log(self, frame: LogFrame) -> Iterator[Update]:
        entry = frame.log
        told = {"logLevel": entry.log_level, "seq": frame.seq, "agentId": entry.agent_id}
        metadata = {name: value for name, value in told.items() if value is not None}
        created_at = entry.created_at.replace(tzinfo=UTC)
        return self._work(f"log:{frame.seq}", entry.message, metadata, created_at)

    def _work(
        self, name: str, text: str, metadata: Mapping[str, Any], time: datetime | None = None
    ) -> Iterator[Update]:
        self._is_working = True
        message = self.names.say(name, text, metadata)
        yield self._status(TaskState.TASK_STATE_WORKING, message=message, timestamp=time)

    def _end(self, frame: ResponseFrame) -> Iterator[Update]:
        if isinstance(frame, FailureFrame):
            is_cancelled = frame.error == CANCELLED
            state = TaskState.TASK_STATE_CANCELED if is_cancelled else TaskState.TASK_STATE_FAILED
            yield self._status(state, message=self.names.say("status", frame.error))
            return
        answer = frame.response.response
        yield from self._complete(answer["response"])
        yield from self._tell_files(made(frame.response.files))
        yield self._status(TaskState.TASK_STATE_COMPLETED, used_in(answer))

    def _complete(self, answer: str) -> Iterator[Update]:
        """The rest of the answer, or all of it in place of the parts where these were not it."""
        said = "".join(self._said)
        if not answer.startswith(said):
            self._said.clear()
            said = ""
        return self._go_on(answer[len(said) :], is_last=True)

    def _go_on(self, text: str, *, is_last: bool = False) -> Iterator[Update]:
        """At least one piece: that nothing follows has to be said with something."""
        for start in range(0, len(text) or 1, DELTA_LIMIT):
            piece = text[start : start + DELTA_LIMIT]
            ends = is_last and start + DELTA_LIMIT >= len(text)
            yield self._artifact(answer_artifact(piece), append=bool(self._said), last_chunk=ends)
            self._said.append(piece)

    def _tell_files(self, files: Sequence[FileMetadata]) -> Iterator[Update]:
        if files:
            yield self._artifact(files_artifact(files, self.files_url), last_chunk=True)

    def _artifact(self, artifact: Artifact, **others: bool) -> Update:
        return TaskArtifactUpdateEvent(
            task_id=self.names.task_id,
            context_id=self.names.context_id,
            artifact=artifact,
            **others,
        )

    def _status(
        self, state: TaskState, metadata: Mapping[str, Any] | None = None, **others: Any
    ) -> Update:
        given = {name: value for name, value in others.items() if value is not None}
        status = TaskStatus(**{"state": state, "timestamp": datetime.now(UTC), **given})
        return StatusUpdate(
            task_id=self.names.task_id,
            context_id=self.names.context_id,
            status=status,
            metadata=metadata,
        )
