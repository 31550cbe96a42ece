"""The router's frames, as they were recorded and as anyone could forge them."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from agent_bridge.router import frames
from agent_bridge.router.frames import (
    AgentLogged,
    AgentRegistered,
    AgentUnregistered,
    Departure,
    ProbeArrived,
    Rejection,
    Reply,
    echo_frame,
    invoke_frame,
    parse_lane_frame,
    parse_session_frame,
    register_frame,
)

RECORDED: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("recorded_frames.json").read_text()
)
KINDS = {
    "agent_register": AgentRegistered,
    "agent_unregister": AgentUnregistered,
    "agent_log": AgentLogged,
}
NONSENSE = [
    "",
    "{",
    "5",
    "null",
    "[]",
    "NaN",
    '"text"',
    "{}",
    '{"request_payload": 5}',
    '{"request_payload": {}}',
    '{"request_payload": {"message_type": "agent_log"}}',
    '{"request_payload": {"message_type": 5, "agent_uuid": "x"}}',
    '{"request_payload": {"message_type": "agent_register", "agent_uuid": "x", "agent_jwt": 1}}',
    '{"request_payload": {"message_type": "ml_invoke", "agent_uuid": "x"}}',
    '{"request_payload": {"message_type": "agent_unregister", "agent_uuid": null}}',
    '{"request_payload": {"probe": 5}, "invoked_by": "x"}',
    "[" * 5000,
    "\udcff",
]


def _recorded_lanes(*, with_error: bool) -> list[dict[str, Any]]:
    return [frame for frame in RECORDED["lane"] if ("error" in frame) is with_error]


@pytest.mark.parametrize("frame", RECORDED["session"])
def test_a_recorded_session_frame_is_of_its_kind(frame: dict[str, Any]) -> None:
    payload = frame["request_payload"]
    parsed = parse_session_frame(json.dumps(frame))
    if payload["message_type"] == "agent_log" and not payload.get("request_id"):
        assert parsed is None
        return
    assert isinstance(parsed, AgentRegistered | AgentUnregistered | AgentLogged)
    assert isinstance(parsed, KINDS[payload["message_type"]])
    assert parsed.agent_uuid == payload["agent_uuid"]


@pytest.mark.parametrize("frame", _recorded_lanes(with_error=False))
def test_a_recorded_answer_is_a_reply_with_its_response(frame: dict[str, Any]) -> None:
    assert parse_lane_frame(json.dumps(frame)) == Reply(frame["response"], frame["execution_time"])


@pytest.mark.parametrize("frame", _recorded_lanes(with_error=True))
def test_a_recorded_error_is_a_rejection_or_a_departure(frame: dict[str, Any]) -> None:
    error = frame["error"]
    parsed = parse_lane_frame(json.dumps(frame))
    if error["error_message"] == "Agent has been unregistered":
        assert parsed == Departure(error["agent_uuid"])
    else:
        assert parsed == Rejection(error["error_message"], frame.get("execution_time", 0.0))


@pytest.mark.parametrize("text", NONSENSE)
def test_an_odd_session_frame_is_nothing(text: str) -> None:
    assert parse_session_frame(text) is None


@pytest.mark.parametrize("text", [text for text in NONSENSE if "probe" not in text])
def test_an_odd_lane_frame_is_nothing(text: str) -> None:
    assert parse_lane_frame(text) is None


@pytest.mark.parametrize("error", [None, 5, [], {}, {"error_message": None}, "plain"])
def test_an_odd_error_is_a_rejection_all_the_same(error: object) -> None:
    parsed = parse_lane_frame(json.dumps({"error": error}))
    assert isinstance(parsed, Rejection)


def test_unknown_keys_of_a_log_are_ignored() -> None:
    payload = {
        "message_type": "agent_log",
        "agent_uuid": "a",
        "session_id": "s",
        "request_id": "r",
        "log_level": "info",
        "log_message": "m",
        "invoked_by": "b",
        "more": {},
    }
    text = json.dumps({"request_payload": payload, "more": 1})
    assert parse_session_frame(text) == AgentLogged("a", "s", "r", "info", "m")


@pytest.mark.parametrize("missing", ["session_id", "request_id", "log_level"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_log_without_ids_or_level_is_nothing(missing: str, value: str | None) -> None:
    payload = {
        "message_type": "agent_log",
        "agent_uuid": "a",
        "session_id": "s",
        "request_id": "r",
        "log_level": "info",
        missing: value,
    }
    assert parse_session_frame(json.dumps({"request_payload": payload})) is None


def test_a_log_message_that_is_no_text_becomes_its_json() -> None:
    payload = {
        "message_type": "agent_log",
        "agent_uuid": "a",
        "session_id": "s",
        "request_id": "r",
        "log_level": "info",
        "log_message": {"a": [1]},
    }
    parsed = parse_session_frame(json.dumps({"request_payload": payload}))
    assert isinstance(parsed, AgentLogged)
    assert parsed.message == '{"a":[1]}'


def test_a_nul_in_what_agents_say_is_replaced() -> None:
    payload = {
        "message_type": "agent_register",
        "agent_uuid": "a",
        "agent_jwt": "j",
        "agent_name": "n\x00",
        "agent_description": "\x00d",
        "agent_input_schema": {"k\x00": "v\x00"},
    }
    parsed = parse_session_frame(json.dumps({"request_payload": payload}))
    assert isinstance(parsed, AgentRegistered)
    assert "\x00" not in repr((parsed.name, parsed.description, parsed.input_schema))


@pytest.mark.parametrize("schema", [{"a": r"\u0000 as text"}, {"a": 2**80, "b": [-0.5, "\\"]}])
@pytest.mark.parametrize("as_text", [False, True])
def test_a_schema_that_an_agent_registers_with_stays_as_it_came(
    schema: dict[str, Any], as_text: bool
) -> None:
    payload = {
        "message_type": "agent_register",
        "agent_uuid": "a",
        "agent_jwt": "j",
        "agent_input_schema": json.dumps(schema) if as_text else schema,
    }
    parsed = parse_session_frame(json.dumps({"request_payload": payload}))
    assert isinstance(parsed, AgentRegistered)
    assert parsed.input_schema == schema


@pytest.mark.parametrize("number", ["1" * 5000, "-" + "1" * 5000, "1e400", "-1e400"])
def test_an_answer_with_a_number_that_nobody_can_read_arrives_with_its_digits(number: str) -> None:
    text = f'{{"message_type": "agent_response", "response": {{"n": {number}, "m": {2**80}}}}}'
    assert parse_lane_frame(text) == Reply({"n": number, "m": 2**80}, 0.0)


@pytest.mark.parametrize("seconds", [10**400, "1", None, [], {}], ids=lambda value: repr(value)[:9])
def test_a_time_that_is_none_is_no_time(seconds: object) -> None:
    frame = {"message_type": "agent_response", "response": 1, "execution_time": seconds}
    assert parse_lane_frame(json.dumps(frame)) == Reply(1, 0.0)


@pytest.mark.parametrize("kind", ["agent_unregister", "agent_log", "agent_register"])
def test_an_invocation_that_looks_like_an_event_is_none(kind: str) -> None:
    payload = {
        "message_type": kind,
        "agent_uuid": "a",
        "agent_jwt": "j",
        "session_id": "s",
        "request_id": "r",
        "log_level": "info",
    }
    forged = {"request_payload": payload, "request_metadata": {}, "invoked_by": "anyone"}
    assert parse_session_frame(json.dumps(forged)) is None


def test_our_own_probe_is_echoed_to_who_sent_it() -> None:
    text = json.dumps({"request_payload": {"probe": "p"}, "invoked_by": "lane"})
    arrived = parse_session_frame(text)
    assert arrived == ProbeArrived("p", "lane")
    assert isinstance(arrived, ProbeArrived)
    assert json.loads(echo_frame(arrived)) == {
        "message_type": "agent_response",
        "response": "p",
        "execution_time": 0,
        "invoked_by": "lane",
    }


def test_an_invocation_has_the_form_that_the_router_wants() -> None:
    assert json.loads(invoke_frame("master_server_ml", {"a": 1}, "r", "s")) == {
        "message_type": "agent_invoke",
        "agent_uuid": "master_server_ml",
        "request_payload": {"a": 1},
        "request_metadata": {"request_id": "r", "session_id": "s"},
    }


def test_the_bridge_registers_as_every_agent_does() -> None:
    frame = json.loads(register_frame())
    assert frame["message_type"] == "agent_register"
    assert frame["request_payload"].keys() == {
        "agent_name",
        "agent_description",
        "agent_input_schema",
    }


def test_an_id_in_a_spelling_of_any_length_is_read_but_not_remembered() -> None:
    agent_id = uuid4()
    remembered = frames._read_known.cache_info().currsize
    assert frames.read_uuid("-" * 10_000 + agent_id.hex) == agent_id
    assert frames._read_known.cache_info().currsize == remembered
