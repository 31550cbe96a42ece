"""What happens to a call, in the messages that its client is told."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mcpserver.places import PLACE_LIMIT, Place
from gateway.mcpserver.schemas import ID_LIMIT
from gateway.mcpserver.words import PROGRESS_LIMIT, STRUCTURED_LIMIT, TRACE_LIMIT, Telling
from gateway.requests.cancellation import CANCELLED
from gateway.streams.events import Part
from shared.codec.depth import DEPTH_LIMIT
from shared.domain.frames import LogEntry, LogFrame, Response, ResponseFrame, answer_from, respond
from shared.notifications.formats import Request
from tests.users import Json

REQUEST, SESSION, AGENT = UUID(int=1), UUID(int=2), UUID(int=3)
NOW = datetime(2026, 1, 31)  # noqa: DTZ001 (as frames have it)

ids = st.one_of(st.text(max_size=ID_LIMIT), st.integers(1 - 2**63, 2**63 - 1))
places = st.builds(
    Place,
    ids,
    st.one_of(st.none(), ids),
    st.uuids(),
    st.uuids(),
    st.integers(0, 2**63 - 1),
    st.integers(0, 2**63 - 1),
)


def telling(token: Any = "token", *, with_session: bool = False) -> Telling:
    return Telling(Place(7, token, REQUEST, SESSION, 10), with_session=with_session)


def part(text: str, agent: UUID | None = None) -> Part:
    return Part(Request(REQUEST), agent, 0, text)


def entry(message: str, seq: int) -> LogFrame:
    return LogFrame(LogEntry(SESSION, REQUEST, "info", message, None, "agent", NOW, NOW), seq)


def ended(
    text: str, error: str | None = None, *, is_success: bool = True, trace: Any = ()
) -> ResponseFrame:
    answer = answer_from({"response": text, "is_success": is_success, "agents_trace": [*trace]})
    return respond(99, Response(is_success, 0.5, answer, REQUEST, SESSION), error)


def result_of(said: Telling, frame: ResponseFrame, *files: Json) -> Json:
    message = said.end(frame, files)
    assert (message["jsonrpc"], message["id"]) == ("2.0", 7)
    result: Json = message["result"]
    return result


def test_log_entries_and_parts_are_progress_that_counts() -> None:
    said = telling()
    told = [said.tell(each) for each in (entry("one", 11), part("two"), part("three", AGENT))]
    assert told == [
        {
            "jsonrpc": "2.0",
            "method": "notifications/progress",
            "params": {"progressToken": "token", "progress": at, "message": message},
        }
        for at, message in enumerate(("one", "two", "three"), 1)
    ]
    assert (said.place.seq, said.place.progress) == (11, 3)


def test_without_a_token_and_of_nothing_there_is_no_progress() -> None:
    assert telling(None).tell(part("one")) is None
    assert telling(0).tell(part("one")) is not None
    assert telling().tell(part("")) is None


def test_a_long_message_is_cut() -> None:
    told = telling().tell(part("x" * (PROGRESS_LIMIT + 1)))
    assert told
    assert told["params"]["message"] == "x" * (PROGRESS_LIMIT - 1) + "…"


def test_an_answer_is_a_text_and_files_with_what_led_to_it() -> None:
    file = {"type": "image", "data": "", "mimeType": "image/png"}
    result = result_of(telling(), ended("hello", trace=[{"name": "a"}]), file)
    assert result == {
        "content": [{"type": "text", "text": "hello"}, file],
        "isError": False,
        "_meta": {
            "genai/request_id": str(REQUEST),
            "genai/session_id": str(SESSION),
            "genai/execution_time": 0.5,
            "genai/agents_trace": [{"name": "a"}],
        },
    }


@pytest.mark.parametrize(
    ("text", "structure"),
    [
        ('{"a": [1]}', {"a": [1]}),
        ("[1]", None),
        ("{no", None),
        ('{"a": "' + "x" * STRUCTURED_LIMIT + '"}', None),
        ('{"a":' * (DEPTH_LIMIT + 1) + "1" + "}" * (DEPTH_LIMIT + 1), None),
    ],
)
def test_an_object_is_structured_content_too(text: str, structure: Json | None) -> None:
    assert result_of(telling(), ended(text)).get("structuredContent") == structure


def test_ask_tells_which_session_it_was() -> None:
    result = result_of(telling(with_session=True), ended("hello"))
    assert result["structuredContent"] == {"answer": "hello", "session_id": str(SESSION)}


@pytest.mark.parametrize(
    "frame", [ended("no", "no"), ended("no", is_success=False)], ids=["failed", "no success"]
)
def test_a_failure_is_an_error_with_the_sentence_and_no_structure(frame: ResponseFrame) -> None:
    result = result_of(telling(with_session=True), frame)
    assert result["isError"]
    assert result["content"] == [{"type": "text", "text": "no"}]
    assert "structuredContent" not in result


def test_what_was_cancelled_has_no_result() -> None:
    assert telling().end(ended(CANCELLED, CANCELLED), []) == {
        "jsonrpc": "2.0",
        "id": 7,
        "error": {"code": -32800, "message": CANCELLED},
    }


def test_a_large_trace_is_left_out() -> None:
    steps = ["x" * TRACE_LIMIT, "y"]
    meta = result_of(telling(), ended("hello", trace=steps))["_meta"]
    assert meta["genai/agents_trace_left_out"] == len(steps)
    assert "genai/agents_trace" not in meta


@given(places)
def test_a_place_is_read_from_what_it_wrote(place: Place) -> None:
    assert len(str(place)) <= PLACE_LIMIT
    assert str(place).isascii()
    assert Place.read(str(place)) == place


@given(st.one_of(st.text(), st.text("QUFbIl0sMTIzNDU2Nzg5MDAxMjM0NQ_-=", min_size=20)))
def test_other_texts_are_no_places(text: str) -> None:
    assert Place.read(text) is None
