"""Responses and their events, as the types of the official package have them."""

import json
from typing import Any

import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from gateway.completions.responses import ResponseStream, tell_whole
from gateway.completions.speech import THOUGHTS_LIMIT, Event
from gateway.web.errors import UnavailableError
from tests.gateway.completions.events import ASKED, REQUEST, answer, failed, log, part

EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
STREAM: list[Event] = [log("I look"), part("It is "), log("and see"), answer("It is one")]


def stream(*events: Event) -> list[Any]:
    """The events of a stream."""
    telling = ResponseStream(ASKED)
    return read(telling.begin() + b"".join(map(telling.tell, events)))


def read(told: bytes) -> list[Any]:
    *pieces, rest = told.decode().split("\n\n")
    assert rest == ""
    events = []
    for piece in pieces:
        name, data = piece.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        events.append(event)
    return events


def test_each_event_is_one_with_its_number() -> None:
    events = stream(*STREAM)
    for number, event in enumerate(events):
        EVENTS.validate_python(event)
        assert event["sequence_number"] == number


def test_they_open_and_close_what_they_tell_of() -> None:
    reasoning = "response.reasoning_summary"
    assert [event["type"] for event in stream(*STREAM)] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        f"{reasoning}_part.added",
        f"{reasoning}_text.delta",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        f"{reasoning}_text.delta",
        "response.output_text.delta",
        f"{reasoning}_text.done",
        f"{reasoning}_part.done",
        "response.output_item.done",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]


def test_the_last_one_has_all_that_was_told() -> None:
    response = stream(*STREAM)[-1]["response"]
    Response.model_validate(response)
    reasoning, message = response["output"]
    assert reasoning["summary"][0]["text"] == "I look\nand see\n"
    assert message["content"][0]["text"] == "It is one"
    assert response["genai"]["request_id"] == str(REQUEST)


def test_an_answer_alone_is_the_first_item() -> None:
    [message] = stream(answer("one"))[-1]["response"]["output"]
    assert (message["type"], message["content"][0]["text"]) == ("message", "one")


def test_what_is_told_twice_is_bounded() -> None:
    size = THOUGHTS_LIMIT // 2
    events = stream(log("a" * size), log("b" * size), log("c"), answer("one"))
    [text] = events[-1]["response"]["output"][0]["summary"]
    assert len(text["text"]) == THOUGHTS_LIMIT


@pytest.mark.parametrize("before", [[], [log("I look")], [part("It ")]])
def test_a_failure_is_the_end(before: list[Event]) -> None:
    last = stream(*before, failed("no clock"))[-1]
    EVENTS.validate_python(last)
    assert last["type"] == "response.failed"
    assert last["response"]["error"] == {"code": "server_error", "message": "no clock"}


def test_a_farewell_is_a_failure_too() -> None:
    telling = ResponseStream(ASKED)
    telling.begin()
    [event] = read(telling.fail(UnavailableError("restarting")))
    assert (event["type"], event["sequence_number"]) == ("response.failed", 2)


@pytest.mark.parametrize("thoughts", [[], ["I look\n"]])
def test_a_response_is_one(thoughts: list[str]) -> None:
    response = json.loads(tell_whole(ASKED, answer("one"), thoughts))
    assert Response.model_validate(response).output_text == "one"
    assert len(response["output"]) == 1 + len(thoughts)
