"""What happens to a request, as the events of a run."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.agui.calls import CUT, NAMELESS, RESULT_LIMIT
from gateway.agui.messages import NO_CONTENT, NO_PART, ThreadMessage
from gateway.agui.run import Known, Run, known_of
from gateway.agui.texts import DELTA_LIMIT
from gateway.requests.cancellation import CANCELLED
from gateway.streams.events import Part
from shared.codec.converter import structure
from shared.codec.faults import InvalidInputError
from shared.domain.frames import (
    LogEntry,
    LogFrame,
    Response,
    ResponseFrame,
    answer_from,
    failure,
    respond,
)
from shared.notifications.formats import Request
from tests.gateway.agui.front_end import FrontEnd, check_run
from tests.users import Json

type Happening = Part | LogFrame | ResponseFrame

REQUEST = Request(uuid4())
SESSION_ID, AGENT_ID = uuid4(), uuid4()
NOW = datetime(2026, 1, 31, 9, 15, 2)  # noqa: DTZ001 (as PostgreSQL gives it: in UTC)
STEP = {"id": str(AGENT_ID), "name": "clock", "input": {"city": "Kyiv"}, "output": "12:00"}


def part(text: str, agent_id: UUID | None = None) -> Part:
    return Part(REQUEST, agent_id, 0, text)


def log(message: str, seq: int = 1) -> LogFrame:
    entry = LogEntry(SESSION_ID, REQUEST.id, "info", message, None, str(AGENT_ID), NOW, NOW)
    return LogFrame(entry, seq)


def response(text: str, *trace: Any, error: str | None = None) -> ResponseFrame:
    answered = answer_from({"response": text, "agents_trace": [*trace]})
    told = {**failure(error), "agents_trace": [*trace]} if error else answered
    frame = Response(error is None, 0.5, told, REQUEST.id, SESSION_ID)
    return respond(9, frame, error)


def tell(*happened: Happening, known: Known | None = None) -> list[Json]:
    run = Run("thread", "run", REQUEST.id, known or Known())
    return [run.start(), *(event for each in happened for event in run.tell(each))]


def shown(*happened: Happening) -> FrontEnd:
    """What a front-end has after a whole run."""
    events = tell(*happened)
    check_run(events)
    front_end = FrontEnd()
    front_end.apply(events)
    return front_end


def known_by(front_end: FrontEnd) -> Known:
    return known_of(structure(front_end.messages, list[ThreadMessage]), REQUEST.id)


def kinds(events: list[Json]) -> list[str]:
    return [event["type"] for event in events]


def test_parts_are_told_as_they_come_and_the_answer_ends_them() -> None:
    told = tell(part("It is "), part("noon"), response("It is noon."))
    assert [event.get("delta", event["type"]) for event in told] == [
        "RUN_STARTED",
        "TEXT_MESSAGE_START",
        "It is ",
        "noon",
        ".",
        "TEXT_MESSAGE_END",
        "RUN_FINISHED",
    ]
    assert told[0] == {
        "type": "RUN_STARTED",
        "threadId": "thread",
        "runId": "run",
        "protocolVersion": "1.0",
    }
    assert told[-1]["result"] == {
        "request_id": str(REQUEST.id),
        "session_id": str(SESSION_ID),
        "is_success": True,
        "execution_time": 0.5,
        "files": [],
    }
    check_run(told)


def test_log_entries_are_one_message_of_reasoning_apart_from_the_answer() -> None:
    events = tell(log("Looking"), part("It"), log("Found", 2), response("It is."))
    front_end = FrontEnd()
    front_end.apply(events)
    assert (front_end.reasoning, front_end.answers) == (["Looking\nFound\n"], ["It is."])
    [first, _] = [event for event in events if event["type"] == "REASONING_MESSAGE_CONTENT"]
    assert first["metadata"] == {"log_level": "info", "seq": 1, "agent_id": str(AGENT_ID)}
    assert first["timestamp"] == int(NOW.replace(tzinfo=UTC).timestamp() * 1000)
    check_run(events)


def test_what_another_agent_says_is_reasoning_of_its_own() -> None:
    front_end = shown(part("draft", AGENT_ID), log("x"), part("more", AGENT_ID), response("y"))
    assert (front_end.reasoning, front_end.answers) == (["draftmore", "x\n"], ["y"])


def test_an_answer_that_its_parts_do_not_begin_is_a_message_of_its_own() -> None:
    assert shown(part("It is on"), response("It is noon.")).answers == ["It is on", "It is noon."]


def test_agents_that_were_called_are_calls_of_tools() -> None:
    failed = {"name": "diary", "output": {"why": "lost"}, "is_success": False}
    front_end = shown(response("noon", STEP, failed))
    assert [*front_end.calls.values()] == [
        ["clock", '{"city":"Kyiv"}', "12:00"],
        ["diary", "{}", '{"why":"lost"}'],
    ]
    [start, other] = [
        each for each in tell(response("noon", STEP, failed)) if each["type"] == "TOOL_CALL_START"
    ]
    assert start["metadata"] == {"id": str(AGENT_ID)}
    assert other["metadata"] == {"is_success": False}


def test_calls_come_before_the_answer_unless_that_has_begun() -> None:
    told = kinds(tell(response("noon", STEP)))
    assert told.index("TOOL_CALL_START") < told.index("TEXT_MESSAGE_START")
    told = kinds(tell(part("no"), response("noon", STEP)))
    assert told.index("TEXT_MESSAGE_END") < told.index("TOOL_CALL_START")


@pytest.mark.parametrize(
    ("step", "arguments", "result"),
    [
        (None, "{}", ""),
        (5, "{}", "5"),
        ("text", "{}", "text"),
        ([], "{}", "[]"),
        ({}, "{}", ""),
        ({"name": 5, "input": [1], "output": 0}, "[1]", "0"),
        ({"name": "", "input": "text", "output": False}, '"text"', "false"),
    ],
)
def test_a_step_of_any_form_is_a_call(step: object, arguments: str, result: str) -> None:
    assert [*shown(response("noon", step)).calls.values()] == [[NAMELESS, arguments, result]]


def test_long_texts_are_cut_into_events_and_long_results_are_cut() -> None:
    text = "é" * (2 * DELTA_LIMIT + 1)
    given = {"input": {"a": text}, "output": "x" * (RESULT_LIMIT + 1)}
    events = tell(response(text, given))
    check_run(events)
    assert max(len(event.get("delta", "")) for event in events) == DELTA_LIMIT
    front_end = FrontEnd()
    front_end.apply(events)
    [[_, arguments, result]] = front_end.calls.values()
    assert (front_end.answers, len(arguments)) == ([text], len(text) + len('{"a":""}'))
    assert result == "x" * RESULT_LIMIT + CUT


def test_a_request_that_fails_is_a_run_that_fails() -> None:
    events = tell(part("It"), response("", STEP, error="The agent clock failed"))
    assert events[-1] == {
        "type": "RUN_ERROR",
        "message": "The agent clock failed",
        "code": "failed",
    }
    check_run(events)
    front_end = FrontEnd()
    front_end.apply(events)
    assert (front_end.answers, len(front_end.calls)) == (["It"], 1)


def test_a_request_that_was_cancelled_is_a_run_that_was() -> None:
    events = tell(part("It"), log("x"), response("", error=CANCELLED))
    names = {"threadId": "thread", "runId": "run"}
    assert events[-1] == {"type": "RUN_FINISHED", **names, "outcome": {"type": "cancelled"}}
    check_run(events)


texts = st.text(max_size=5)
steps = st.dictionaries(st.sampled_from(["name", "input", "output", "id"]), st.none() | texts)
happenings = st.lists(
    st.one_of(
        st.builds(part, texts, st.sampled_from([None, None, AGENT_ID])),
        st.builds(log, texts, st.integers(1, 8)),
    ),
    max_size=8,
)


@st.composite
def requests(draw: st.DrawFn) -> list[Happening]:
    """Whatever happens, to an end of any kind; mostly the parts are the answer's beginning."""
    happened: list[Any] = draw(happenings)
    said = "".join(each.text for each in happened if isinstance(each, Part) and not each.agent_id)
    text = draw(st.just(said) | texts.map(lambda more: said + more) | texts)
    error = draw(st.sampled_from([None, None, CANCELLED, "It broke"]))
    return [*happened, response(text, *draw(st.lists(steps, max_size=2)), error=error)]


@given(requests())
def test_whatever_happens_is_a_valid_run(happened: list[Happening]) -> None:
    front_end = shown(*happened)
    answer = happened[-1]
    assert isinstance(answer, ResponseFrame)
    [end] = front_end.ends
    if "result" in end:
        assert front_end.answers[-1] == answer.response.response["response"]
        assert len(front_end.calls) == len(answer.response.response["agents_trace"])


@settings(max_examples=400)
@given(requests(), st.data())
def test_a_front_end_that_was_cut_off_anywhere_is_told_the_rest(
    happened: list[Happening], data: st.DataObject
) -> None:
    whole, events = shown(*happened), tell(*happened)
    cut = data.draw(st.integers(0, len(events) - 1))
    front_end = FrontEnd()
    front_end.apply(events[:cut])
    again = tell(*happened, known=known_by(front_end))
    check_run(again)
    front_end.apply(again)
    assert (front_end.texts, front_end.calls) == (whole.texts, whole.calls)
    assert tell(*happened, known=known_by(whole))[1:] == [
        event for event in again if event["type"] in {"RUN_FINISHED", "RUN_ERROR"}
    ]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "source", "value"]), inner)
    ),
    max_leaves=8,
)


def objections(message: Json) -> set[str]:
    try:
        structure(message, ThreadMessage)
    except InvalidInputError as error:
        return {fault.msg.removeprefix("Value error, ") for fault in error.faults}
    return set()


@given(json_values)
def test_whatever_a_content_is_it_is_refused_or_read(content: object) -> None:
    given = {"id": "1", "role": "user", "content": content}
    if refused := objections(given):
        assert refused <= {NO_CONTENT, NO_PART}
        return
    message = structure(given, ThreadMessage)
    assert isinstance(message.text, str)
    assert [*message.file_ids] == []
