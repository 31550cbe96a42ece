"""Whatever a master agent returns becomes an answer that front-ends can draw."""

import json
from typing import Any
from uuid import uuid4

import orjson
import pytest

from shared.domain.frames import (
    DEEP_ANSWER,
    EMPTY_ANSWER,
    Response,
    answer_from,
    encode,
    failure,
    respond,
)

GOOD: dict[str, Any] = {"agents_trace": [{"name": "A"}], "response": "text", "is_success": False}


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def test_an_answer_of_the_right_form_stays_as_it_came() -> None:
    assert answer_from({**GOOD, "more": {"x": 1}}) == {**GOOD, "more": {"x": 1}}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a text", "a text"),
        (["a", 1], '["a",1]'),
        (42, "42"),
        (1.5, "1.5"),
        (True, "true"),
        (None, "null"),
        ({}, "{}"),
        ({"other": 1}, '{"other":1}'),
        ("", EMPTY_ANSWER),
    ],
    ids=repr,
)
def test_anything_else_becomes_the_text_of_a_success(value: object, text: str) -> None:
    assert answer_from(value) == {"agents_trace": [], "response": text, "is_success": True}


@pytest.mark.parametrize(
    ("response", "text"),
    [
        (None, "null"),
        (5, "5"),
        (["a"], '["a"]'),
        ({"a": "é"}, '{"a":"é"}'),
        ("", EMPTY_ANSWER),
    ],
    ids=repr,
)
def test_a_response_that_is_no_text_becomes_its_json(response: object, text: str) -> None:
    assert answer_from({**GOOD, "response": response}) == {**GOOD, "response": text}


@pytest.mark.parametrize("trace", [None, {}, "text", 5], ids=repr)
def test_a_trace_that_is_no_list_becomes_an_empty_one(trace: object) -> None:
    assert answer_from({**GOOD, "agents_trace": trace})["agents_trace"] == []


@pytest.mark.parametrize("word", ["false", "False", "FALSE", "0", "no", " No\n", "off", 0, 0.0])
def test_what_says_that_it_failed_is_no_success(word: object) -> None:
    assert answer_from({**GOOD, "is_success": word}) == {**GOOD, "is_success": False}


@pytest.mark.parametrize("word", ["true", "True", "TRUE", "1", "yes", "YES ", "on", 1, 1.0])
def test_what_says_that_it_succeeded_is_a_success(word: object) -> None:
    assert answer_from({**GOOD, "is_success": word}) == {**GOOD, "is_success": True}


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        (None, "null"),
        ("maybe", "maybe"),
        ("", ""),
        ("falsch", "falsch"),
        (2, "2"),
        ([], "[]"),
        ({"a": False}, '{"a":false}'),
        ("x" * 5000, "x" * 100),
        (nested(500), DEEP_ANSWER),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_success_that_says_neither_is_none_and_told(word: object, shown: str) -> None:
    warning = f"The master agent's is_success is neither true nor false, but: {shown}"
    expected = {**GOOD, "is_success": False, "warning": warning}
    assert answer_from({**GOOD, "is_success": word}) == expected


def test_a_warning_of_the_master_agent_s_own_stays() -> None:
    given = {**GOOD, "is_success": None, "warning": "mine"}
    assert answer_from(given)["warning"] == "mine"


def test_integers_of_an_answer_keep_their_digits() -> None:
    given = {**GOOD, "agents_trace": [{"output": 2**80}], "more": -(2**64) - 1}
    frame = json.loads(encode(respond(3, response(response=answer_from(given)), None)))
    assert frame["response"]["response"] == given
    assert answer_from(2**80)["response"] == "1208925819614629174706176"


def test_an_object_without_a_response_that_says_it_failed_is_no_success() -> None:
    assert answer_from({"is_success": False, "error": "x"})["is_success"] is False


@pytest.mark.parametrize("depth", [100, 300, 1000])
def test_a_deep_answer_can_be_stored(depth: int) -> None:
    orjson.dumps(answer_from({"response": nested(depth), "is_success": True}))


@pytest.mark.parametrize("depth", [100, 300, 1000])
def test_an_answer_with_deep_extra_keys_can_be_stored(depth: int) -> None:
    orjson.dumps(answer_from({**GOOD, "more": nested(depth)}))


def test_a_failure_has_the_form_of_an_answer() -> None:
    assert answer_from(failure("why")) == failure("why")


def response(**others: Any) -> Response:
    values = {"is_success": True, "execution_time": 0.5, "response": GOOD, **others}
    return Response(request_id=uuid4(), session_id=uuid4(), **values)


def test_the_frame_of_an_answer_has_no_error() -> None:
    frame = json.loads(encode(respond(3, response(), None)))
    assert frame.keys() == {"type", "seq", "response"}


def test_the_frame_of_a_failure_names_the_reason_at_the_top() -> None:
    frame = json.loads(encode(respond(3, response(is_success=False), "why")))
    assert (frame["error"], frame["type"], frame["seq"]) == ("why", "agent_response", 3)


def test_a_response_has_what_front_ends_read() -> None:
    frame = json.loads(encode(respond(3, response(), None)))
    assert frame["response"].keys() == {
        "is_success",
        "execution_time",
        "response",
        "request_id",
        "session_id",
        "files",
    }
