"""The wire format of the front-end's socket."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway.chats.frames import (
    SHOWN_INPUT,
    Cancellation,
    ClientMessage,
    describe_faults,
    explain_faults,
    frame_limit,
    parse_frame,
    refuse,
    shown_faults,
)
from gateway.streams.asking import FILES_LIMIT
from shared.codec.faults import Fault, InvalidInputError
from shared.domain.frames import encode

LIMIT = 4096
FILE = "0b3f149a-c60f-4298-82f7-bd51b5865659"


def read(frame: Any) -> ClientMessage:
    message = parse_frame(json.dumps(frame), LIMIT)
    assert isinstance(message, ClientMessage)
    return message


def faults(frame: str | bytes, limit: int = LIMIT) -> list[Fault]:
    with pytest.raises(InvalidInputError) as caught:
        parse_frame(frame, limit)
    return caught.value.faults


def test_only_the_message_is_required() -> None:
    assert read({"message": "hi"}) == ClientMessage("hi")


@pytest.mark.parametrize(
    "frame",
    [
        {"llm": {"llm_name": "c"}},
        {"llm_name": "c"},
        {"llm_name": "c", "provider": "p", "files": []},
        {"llm": {"llm_name": "c"}, "llm_name": "other"},
        {"llm": None, "llm_name": "c"},
        {"llm": {}, "llm_name": "c"},
    ],
    ids=json.dumps,
)
def test_a_config_is_named_in_either_place(frame: dict[str, object]) -> None:
    assert read({"message": "hi", **frame}).config_name == "c"


@pytest.mark.parametrize(
    "frame",
    [{}, {"llm": None}, {"llm": {}}, {"llm_name": None}, {"llm_name": ""}, {"llm": {"x": 1}}],
    ids=json.dumps,
)
def test_no_config_may_be_named(frame: dict[str, object]) -> None:
    assert read({"message": "hi", **frame}).config_name is None


@pytest.mark.parametrize(
    ("files", "result"), [(None, None), ([], []), ([FILE.upper()], [UUID(FILE)])], ids=repr
)
def test_files_are_ids_or_none(files: object, result: object) -> None:
    assert read({"message": "", "files": files}).files == result


def test_an_empty_message_is_one() -> None:
    assert read({"message": ""}).message == ""


def test_unknown_keys_are_ignored() -> None:
    assert read({"message": "hi", "zzz": [1], "llm": {"zzz": 1}}).message == "hi"


@pytest.mark.parametrize(
    ("frame", "loc"),
    [
        ({}, ("message",)),
        ({"message": None}, ("message",)),
        ({"message": 5}, ("message",)),
        ({"message": "a\x00b"}, ("message",)),
        ({"message": "a", "llm": "c"}, ("llm",)),
        ({"message": "a", "llm": {"llm_name": 5}}, ("llm", "llm_name")),
        ({"message": "a", "llm_name": ["c"]}, ("llm_name",)),
        ({"message": "a", "provider": "x" * 256}, ("provider",)),
        ({"message": "a", "files": "x"}, ("files",)),
        ({"message": "a", "files": ["x"]}, ("files", 0)),
        ({"message": "a", "files": [FILE, 5]}, ("files", 1)),
        ({"message": "a", "files": [FILE] * (FILES_LIMIT + 1)}, ("files",)),
        ([1], ()),
        ("text", ()),
        (None, ()),
        (5, ()),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_a_malformed_frame_is_a_fault_with_the_way_to_it(frame: object, loc: object) -> None:
    [fault] = faults(json.dumps(frame), 100_000)
    assert fault.loc == loc


@pytest.mark.parametrize("frame", ["", "{", "hello {", "{'a': 1}"])
def test_a_frame_that_is_no_json_is_a_fault(frame: str) -> None:
    assert [fault.type for fault in faults(frame)] == ["json_invalid"]


def test_half_a_surrogate_pair_is_a_fault_with_the_way_to_it() -> None:
    [fault] = faults('{"message": "\\ud800"}')
    assert (fault.type, fault.loc) == ("value_error", ("message",))


def test_a_binary_frame_is_a_fault() -> None:
    assert [fault.type for fault in faults(b'{"message": "hi"}')] == ["string_type"]


def test_all_faults_of_a_frame_come_at_once() -> None:
    assert len(faults('{"message": 5, "llm_name": 1, "files": "x"}')) == 3


def test_a_cancellation_names_its_request() -> None:
    frame = json.dumps({"type": "cancel", "request_id": FILE})
    assert parse_frame(frame, LIMIT) == Cancellation("cancel", UUID(FILE))


def test_a_cancellation_without_a_request_is_told_so() -> None:
    [fault] = faults('{"type": "cancel", "message": "hi"}')
    assert (fault.type, fault.loc) == ("missing", ("request_id",))


@pytest.mark.parametrize("kind", ["Cancel", "message", None, ["cancel"], {}])
def test_a_frame_of_any_other_type_is_a_message(kind: Any) -> None:
    assert read({"type": kind, "message": "hi"}) == ClientMessage("hi")


@pytest.mark.parametrize("letter", ["a", "é", "😀"])
@pytest.mark.parametrize("escaped", [False, True])
def test_the_limit_is_one_of_the_message_s_bytes(letter: str, *, escaped: bool) -> None:
    frame = json.dumps({"message": letter * 10}, ensure_ascii=escaped)
    size = len(letter.encode()) * 10
    parse_frame(frame, size)
    assert [fault.loc for fault in faults(frame, size - 1)] == [("message",)]


def test_what_stands_beside_the_message_has_a_bound_too() -> None:
    frame = json.dumps({"message": "x", "other": "y" * frame_limit(10)})
    assert [(fault.type, fault.loc) for fault in faults(frame, 10)] == [("too_long", ())]


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        ("{", "its frame is no JSON"),
        (b"{}", "it must be a text frame"),
        ('{"message": "a\\u0000"}', "'message' must "),
        ('{"message": "\\ud800"}', "'message' must "),
        (json.dumps({"message": "x" * 2049}), "'message' must have at most 2 KB"),
        (json.dumps({"message": "x" * 80_000}), "it must have at most 2 KB"),
        ('{"message": 5, "files": 5}', "'message' must be a text"),
    ],
)
def test_who_reads_no_json_is_told_in_a_sentence(frame: str | bytes, sentence: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_frame(frame, 2048)
    told = explain_faults(caught.value)
    assert told.startswith("The message was not accepted: ")
    assert sentence in told
    assert "\n" not in told


def described(frame: str | bytes) -> list[dict[str, object]]:
    with pytest.raises(InvalidInputError) as caught:
        parse_frame(frame, 10**7)
    text = describe_faults(shown_faults(caught.value))
    start = "Message validation failed. Details: "
    assert text.startswith(start)
    result: list[dict[str, object]] = json.loads(text.removeprefix(start))
    return result


def test_the_answer_names_the_faults_as_json() -> None:
    [fault] = described('{"message": 5}')
    assert fault == {
        "type": "string_type",
        "loc": ["message"],
        "msg": "Input should be a valid string",
        "input": 5,
    }


def test_a_long_input_is_not_repeated() -> None:
    [fault] = described(json.dumps({"message": ["x" * SHOWN_INPUT]}))
    assert fault["input"] is None


@pytest.mark.parametrize("depth", [10, 300, 900])
def test_faults_of_a_deep_frame_can_be_told(depth: int) -> None:
    assert described(f'{{"message": {"[" * depth}{"]" * depth}}}')


def test_a_refused_message_gets_the_frame_of_a_failure() -> None:
    frame = json.loads(encode(refuse(uuid4(), uuid4(), "why")))
    response = frame["response"]
    assert (frame["type"], frame["error"]) == ("agent_response", "why")
    assert (response["is_success"], response["execution_time"]) == (False, 0.0)
    assert response["response"] == {"agents_trace": [], "response": "why", "is_success": False}
