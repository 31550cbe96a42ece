"""Chunks and completions, as the types of the official package have them."""

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from gateway.completions.chat import ChatStream, tell_whole
from gateway.completions.speech import Event
from gateway.web.errors import UnavailableError
from tests.gateway.completions.events import ASKED, REQUEST, SESSION, answer, failed, log, part

STREAM: list[Event] = [
    log("I look"),
    part("It is "),
    answer("It is one", agents_trace=[{"name": "clock"}]),
]


def stream(*events: Event, with_usage: bool = False) -> list[Any]:
    """The data of each event of a stream."""
    telling = ChatStream(ASKED, with_usage)
    told = telling.begin() + b"".join(map(telling.tell, events))
    *pieces, rest = told.decode().split("\n\n")
    assert rest == ""
    return [_data(piece) for piece in pieces]


def _data(piece: str) -> Any:
    [line] = piece.split("\n")
    data = line.removeprefix("data: ")
    return data if data == "[DONE]" else json.loads(data)


@pytest.mark.parametrize("with_usage", [False, True])
def test_each_chunk_is_one(with_usage: bool) -> None:
    *chunks, done = stream(*STREAM, with_usage=with_usage)
    assert done == "[DONE]"
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk, strict=True)
        assert (chunk["id"], chunk["model"]) == (f"chatcmpl-{REQUEST}", "quick")
        assert chunk["created"] == ASKED.created
        assert ("usage" in chunk) == with_usage


def test_thoughts_the_answer_and_its_end_come_in_their_order() -> None:
    deltas = [each["choices"][0]["delta"] for each in stream(*STREAM)[:-1]]
    assert deltas == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "I look\n"},
        {"content": "It is "},
        {"content": "one"},
        {},
    ]
    last = stream(*STREAM)[-2]
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["genai"] == {
        "request_id": str(REQUEST),
        "session_id": str(SESSION),
        "is_success": True,
        "execution_time": 0.5,
        "agents_trace": [{"name": "clock"}],
        "files": [],
        "replaces_parts": False,
    }


def test_usage_comes_last_where_it_is_wanted() -> None:
    *_, usage, _ = stream(answer("one"), with_usage=True)
    assert usage["choices"] == []
    assert usage["usage"]["total_tokens"] == 0


def test_a_failure_is_an_error_and_the_end() -> None:
    _, error = stream(failed("no clock"))
    assert error == {
        "error": {
            "message": "no clock",
            "type": "server_error",
            "param": None,
            "code": "answer_failed",
        }
    }


def test_a_farewell_is_an_error() -> None:
    told = ChatStream(ASKED).fail(UnavailableError("restarting"))
    assert _data(told.decode().removesuffix("\n\n"))["error"]["message"] == "restarting"


@pytest.mark.parametrize("thoughts", [[], ["I look\n", "and see\n"]])
def test_a_completion_is_one(thoughts: list[str]) -> None:
    completion = json.loads(tell_whole(ASKED, answer("one"), thoughts))
    ChatCompletion.model_validate(completion, strict=True)
    message = completion["choices"][0]["message"]
    assert message["content"] == "one"
    assert message.get("reasoning_content", "") == "".join(thoughts)
    assert completion["genai"]["session_id"] == str(SESSION)
