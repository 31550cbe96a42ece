"""What bodies ask, and what of them is refused."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from gateway.completions.conversations import (
    NO_QUESTION,
    NO_TOOLS,
    ORIGIN,
    Conversation,
    of_completion,
    of_response,
    session_name,
)
from gateway.completions.errors import OpenAIError, RefusedError
from gateway.completions.schemas import NAME_LIMIT, Metadata, NewCompletion, NewResponse
from gateway.streams.asking import FILES_LIMIT, PROMPT_LIMIT
from gateway.streams.histories import MESSAGES_LIMIT
from gateway.streams.questions import Overrides, Past
from gateway.streams.targets import Target
from gateway.web.inputs import read_body
from shared.codec.faults import InvalidInputError
from tests.gateway.completions.events import AGENT, NOW
from tests.users import Json

HELLO: Json = {"role": "user", "content": "hello"}
TARGET = Target("agent", AGENT, "clock_abcdef", "tells the time", NOW)
FILE = "7f9a4a52-0d35-4b9c-8a34-0a3b6d4c9f10"

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PARTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "file", "image_url"])},
    optional={"text": st.text() | ANY_JSON, "file": ANY_JSON, "file_id": ANY_JSON},
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system", "tool", "nobody"])},
        optional={"content": st.text() | st.lists(PARTS) | ANY_JSON, "type": ANY_JSON},
    )
)


def complete(*messages: Json, **others: Any) -> Conversation:
    body = {"model": "m", "messages": list(messages), **others}
    return of_completion(read_body(json.dumps(body).encode(), NewCompletion))


def respond(asked: Any, **others: Any) -> Conversation:
    body = {"model": "m", "input": asked, **others}
    return of_response(read_body(json.dumps(body).encode(), NewResponse))


def refusal(ask: Callable[[], object]) -> Json:
    """What is told in place of an answer."""
    try:
        ask()
    except InvalidInputError as error:
        told = OpenAIError.malformed(error)
    except RefusedError as error:
        told = error
    assert told.status == 400
    details = OpenAIError.of(told).error
    assert details.type == "invalid_request_error"
    return {"message": details.message, "param": details.param, "code": details.code}


def test_the_last_message_of_the_user_is_asked_and_what_came_before_is_its_history() -> None:
    found = complete(
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "answer", "tool_calls": []},
        {"role": "tool", "content": "22", "tool_call_id": "1"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "se"}, {"type": "text", "text": "cond"}],
        },
        {"role": "assistant", "content": "it begins so"},
    )
    assert found.message == "second"
    assert found.history == [Past("user", "first"), Past("master_agent", "answer")]
    assert found.overrides == Overrides()


def test_system_messages_and_temperature_override_those_of_the_config() -> None:
    messages = [{"role": role, "content": role} for role in ("system", "developer")]
    found = complete(*messages, HELLO, temperature=0)
    assert found.overrides == Overrides(0.0, "system\n\ndeveloper")
    found = respond([*messages, HELLO], instructions="do", temperature=2)
    assert found.overrides == Overrides(2.0, "do\n\nsystem\n\ndeveloper")


def test_a_text_alone_is_asked() -> None:
    assert respond("hello") == complete(HELLO)


def test_of_earlier_messages_the_texts_are_taken_whatever_else_they_had() -> None:
    """A front-end that keeps a chat sends an image that was refused again, with each message."""
    image = {"type": "image_url", "image_url": {"url": "data:"}}
    earlier = {"role": "user", "content": [{"type": "text", "text": "see"}, image]}
    found = complete(earlier, HELLO)
    assert (found.message, found.history) == ("hello", [Past("user", "see")])


def test_items_of_earlier_turns_that_are_no_messages_are_passed_over() -> None:
    items = [{"type": "reasoning", "summary": []}, {"type": "function_call", "name": "x"}]
    assert respond([*items, {**HELLO, "type": "message"}]) == complete(HELLO)


@pytest.mark.parametrize(
    "part", [{"type": "file", "file": {"file_id": FILE}}, {"type": "input_file", "file_id": FILE}]
)
def test_files_are_those_of_the_last_message(part: Json) -> None:
    content = [{"type": "input_text", "text": "read"}, part, part]
    assert complete({"role": "user", "content": content}).file_ids == [UUID(FILE)]
    assert complete({"role": "user", "content": content}, HELLO).file_ids == []


@pytest.mark.parametrize(
    "harmless",
    [
        {"tools": [], "functions": None, "n": 1, "logprobs": False, "modalities": ["text"]},
        {"response_format": {"type": "text"}, "stop": ["x"], "max_tokens": 5, "seed": 1},
        {"top_p": 0.1, "user": "me", "reasoning_effort": "low", "unheard_of": {"a": 1}},
    ],
    ids=",".join,
)
def test_what_is_harmless_is_ignored(harmless: Json) -> None:
    assert complete(HELLO, **harmless) == complete(HELLO)


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"functions": [{}]}, "functions"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"audio": {"voice": "x"}}, "audio"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"response_format": {"type": ["text"]}}, "response_format"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"messages": []}, "messages"),
        ({"messages": [HELLO] * (MESSAGES_LIMIT + 1)}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"role": "nobody"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": "\0"}]}, "messages.0.content"),
        ({"messages": [{"role": "assistant", "content": "hello"}]}, "messages"),
        ({"messages": [{"role": "user", "content": None}]}, "messages.0"),
        ({"metadata": {"session_id": "x" * 256}}, "metadata.session_id"),
        ({"model": None}, "model"),
    ],
    ids=lambda given: str(given)[:60],
)
def test_the_rest_is_refused_and_named(given: Json, param: str) -> None:
    told = refusal(lambda: complete(**{"messages": [HELLO], **given}))
    assert told["param"] == param
    assert told["message"]


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"background": True}, "background"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format"),
        ({"input": []}, "input"),
        ({"input": 5}, "input"),
        ({"input": ""}, "input.0"),
        ({"input": [{"type": "reasoning"}]}, "input"),
    ],
    ids=lambda given: str(given)[:60],
)
def test_so_it_is_of_a_response(given: Json, param: str) -> None:
    given = {"input": "hello", **given}
    assert refusal(lambda: respond(given.pop("input"), **given))["param"] == param


def test_a_refusal_says_why_in_a_sentence() -> None:
    assert refusal(lambda: complete(HELLO, tools=[{}]))["message"] == NO_TOOLS
    assert refusal(lambda: complete({"role": "system", "content": "x"}))["message"] == NO_QUESTION
    image = {"type": "image_url", "image_url": {"url": "data:"}}
    told = refusal(lambda: complete({"role": "user", "content": [image]}))
    assert told["message"].startswith("A part of the type 'image_url' can't be taken")
    assert told["param"] == "messages.0.content.0"
    named = {"type": "file", "file": {"filename": "a.txt", "file_data": "data:"}}
    told = refusal(lambda: complete({"role": "user", "content": [named]}))
    assert told["message"].startswith("A file is named by the id")


def test_files_and_system_messages_are_bounded() -> None:
    parts = [{"type": "file", "file": {"file_id": str(uuid4())}} for _ in range(FILES_LIMIT + 1)]
    assert "100 files" in refusal(lambda: complete({"role": "user", "content": parts}))["message"]
    long = {"role": "system", "content": "x" * (PROMPT_LIMIT + 1)}
    assert "65,536" in refusal(lambda: complete(long, HELLO))["message"]


@given(MESSAGES, ANY_JSON)
def test_whatever_is_sent_is_asked_or_refused(messages: list[Json], other: object) -> None:
    others = {"tools": other, "metadata": other}
    asks: list[Callable[[], object]] = [
        lambda: complete(*messages, response_format=other, **others),
        lambda: respond(messages, text=other, **others),
    ]
    for ask in asks:
        try:
            ask()
        except (RefusedError, InvalidInputError):
            assert refusal(ask)["message"]


def name(is_streamed: bool = True, of_body: str | None = None, **headers: str) -> str | None:
    given = Headers({key.replace("_", "-"): value for key, value in headers.items()})
    return session_name(Metadata(of_body), given, is_streamed=is_streamed)


def test_a_session_is_named_by_the_body_a_header_or_open_webui_in_that_order() -> None:
    assert name(of_body="a", x_session_id="b", x_openwebui_chat_id="c") == "a"
    assert name(x_session_id="b", x_openwebui_chat_id="c") == "b"
    assert name(x_openwebui_chat_id="c") == "c"
    assert session_name(None, Headers({}), is_streamed=True) is None
    assert name(of_body="", x_session_id="") is None


def test_what_open_webui_keeps_no_chat_of_is_no_session() -> None:
    assert name(is_streamed=False, x_openwebui_chat_id="c") is None
    for chat in ("temporary:1", "local:1", "channel:1"):
        assert name(x_openwebui_chat_id=chat) is None


def test_a_header_is_bounded_too() -> None:
    with pytest.raises(RefusedError):
        name(x_session_id="x" * (NAME_LIMIT + 1))


def test_without_a_name_a_question_makes_a_chat_that_is_marked() -> None:
    user_id, conversation = uuid4(), complete(HELLO)
    question = conversation.question(user_id, TARGET, None, 100)
    assert (question.origin, question.asked_id, question.config_name) == (ORIGIN, AGENT, None)
    named = conversation.question(user_id, TARGET, str(AGENT), 100)
    assert (named.origin, named.session_id) == (None, AGENT)
    again = [conversation.question(user_id, TARGET, "my chat", 100).session_id for _ in range(2)]
    assert len(set(again)) == 1


def test_a_message_is_as_long_as_any_other_may_be() -> None:
    with pytest.raises(RefusedError) as raised:
        complete(HELLO).question(uuid4(), TARGET, None, 4)
    assert raised.value.code == "context_length_exceeded"
