"""What happens to a request in the words of A2A: lists in, lists out."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from a2a.types import TaskArtifactUpdateEvent, TaskState

from gateway.published.tasks import Names
from gateway.published.updates import DELTA_LIMIT, Update, Updates
from gateway.requests.cancellation import CANCELLED
from gateway.streams.events import Part
from shared.domain.frames import (
    FileMetadata,
    LogEntry,
    LogFrame,
    Response,
    ResponseFrame,
    failure,
    respond,
)
from shared.notifications.formats import Request
from tests.master import answer

REQUEST, SESSION, AGENT = uuid4(), uuid4(), uuid4()
WORKING, COMPLETED = TaskState.TASK_STATE_WORKING, TaskState.TASK_STATE_COMPLETED


def part(text: str, index: int = 0, agent_id: UUID | None = None) -> Part:
    return Part(Request(REQUEST, None), agent_id, index, text)


def end(text: str, error: str | None = None, files: Any = ()) -> ResponseFrame:
    said = answer(text) if error is None else failure(error)
    response = Response(error is None, 0.5, said, REQUEST, SESSION, [*files])
    return respond(7, response, error)


def tell(*events: Part | LogFrame | ResponseFrame) -> list[Update]:
    updates = Updates(Names(str(REQUEST), "context"), "https://a/files/")
    told = [update for event in events for update in updates.tell(event)]
    for each in told:
        assert (each.task_id, each.context_id) == (str(REQUEST), "context")
    return told


def pieces(told: list[Update]) -> list[tuple[str, bool, bool]]:
    artifacts = [each for each in told if isinstance(each, TaskArtifactUpdateEvent)]
    return [(each.artifact.parts[0].text, each.append, each.last_chunk) for each in artifacts]


def states(told: list[Update]) -> list[Any]:
    return [each.status.state for each in told if not isinstance(each, TaskArtifactUpdateEvent)]


def test_parts_of_the_answer_are_appended_and_its_rest_is_the_last() -> None:
    told = tell(part("It is "), part("noon", 1), end("It is noon."))
    assert pieces(told) == [("It is ", False, False), ("noon", True, False), (".", True, True)]
    assert states(told) == [WORKING, COMPLETED]


def test_an_answer_that_was_told_already_ends_with_nothing_more() -> None:
    assert pieces(tell(part("noon"), end("noon"))) == [("noon", False, False), ("", True, True)]


def test_an_answer_without_parts_is_told_as_a_whole() -> None:
    told = tell(end("noon"))
    assert (pieces(told), states(told)) == ([("noon", False, True)], [COMPLETED])


def test_an_answer_that_its_parts_are_not_the_beginning_of_takes_their_place() -> None:
    assert pieces(tell(part("midnight"), end("noon"))) == [
        ("midnight", False, False),
        ("noon", False, True),
    ]


def test_a_long_answer_comes_in_pieces() -> None:
    text = "x" * (2 * DELTA_LIMIT + 1)
    told = pieces(tell(end(text)))
    assert [(len(said), append, last) for said, append, last in told] == [
        (DELTA_LIMIT, False, False),
        (DELTA_LIMIT, True, False),
        (1, True, True),
    ]


def test_log_entries_and_parts_of_agents_are_messages_about_the_work() -> None:
    entry = LogEntry(
        session_id=SESSION,
        request_id=REQUEST,
        log_level="info",
        message="Looking",
        creator_id=None,
        agent_id=str(AGENT),
        created_at=datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001 (as entries have it)
        updated_at=datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001
    )
    logged, said, *_, ended = tell(LogFrame(entry, 3), part("Hm", 2, AGENT), end("x"))
    assert logged.status.timestamp.ToJsonString() == "2026-01-02T03:04:05Z"
    message = logged.status.message
    assert (message.parts[0].text, message.message_id) == ("Looking", f"{REQUEST}:log:3")
    assert dict(message.metadata) == {"logLevel": "info", "seq": 3, "agentId": str(AGENT)}
    assert said.status.message.parts[0].text == "Hm"
    assert dict(said.status.message.metadata) == {"agentId": str(AGENT)}
    assert [each.status.state for each in (logged, said, ended)] == [WORKING, WORKING, COMPLETED]


def test_a_failure_is_the_end_with_the_sentence() -> None:
    [ended] = tell(end("", "The router is away"))
    assert ended.status.state == TaskState.TASK_STATE_FAILED
    assert ended.status.message.parts[0].text == "The router is away"


def test_a_cancellation_is_the_end_too() -> None:
    assert states(tell(part("It"), end("", CANCELLED))) == [WORKING, TaskState.TASK_STATE_CANCELED]


def test_files_of_agents_come_with_the_answer() -> None:
    made, given = (
        FileMetadata(uuid4(), SESSION, REQUEST, name, "text/plain", uuid4(), name, is_made, None)
        for name, is_made in (("made.txt", True), ("given.txt", False))
    )
    *_, files, _ended = tell(end("noon", files=[made, given]))
    assert isinstance(files, TaskArtifactUpdateEvent)
    [file] = files.artifact.parts
    assert (file.url, file.filename) == (f"https://a/files/{made.id}", "made.txt")
