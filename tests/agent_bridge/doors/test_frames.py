"""What passes a door is read as anybody may send it, and shows nobody a key."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_bridge.doors.frames import (
    Answered,
    Called,
    Described,
    Invocation,
    Knock,
    Misunderstood,
    invocation_frame,
    parse_agent_frame,
    parse_call,
    parse_router_frame,
    show,
)
from agent_bridge.router.frames import AgentLogged
from shared.codec.text import read_json, write_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
NAMES = st.sampled_from(
    [
        *("message_type", "agent_uuid", "request_payload", "request_metadata", "invoked_by"),
        *("error", "response", "session_id", "request_id", "log_level", "log_message"),
        *("agent_name", "agent_description", "agent_input_schema"),
    ]
)
KINDS = st.sampled_from(
    ["agent_register", "agent_log", "agent_response", "agent_error", "agent_invoke"]
)
FRAMES = st.dictionaries(NAMES, JSON | KINDS, max_size=8) | JSON


def _text(frame: Any) -> str:
    return write_json(frame).decode()


@given(FRAMES)
def test_any_frame_of_an_agent_is_something(frame: Any) -> None:
    parsed = parse_agent_frame(_text(frame), "agent")
    assert parsed is None or isinstance(parsed, Described | AgentLogged | Answered | Misunderstood)
    if isinstance(parsed, AgentLogged):
        assert (parsed.agent_uuid, parsed.is_verified) == ("agent", True)
    if isinstance(parsed, Answered):
        assert "invoked_by" not in parsed.frame


@given(FRAMES)
def test_any_frame_of_a_caller_is_something(frame: Any) -> None:
    parsed = parse_call(_text(frame))
    assert isinstance(parsed, Called | Misunderstood)
    if isinstance(parsed, Called):
        assert isinstance(parsed.request_id, str)


@given(FRAMES)
def test_any_frame_of_the_router_is_something(frame: Any) -> None:
    parsed = parse_router_frame(_text(frame))
    assert parsed is None or isinstance(parsed, Invocation | Knock)


@pytest.mark.parametrize("metadata", ["presence", None, [], 0, {}, {"request_id": "x"}])
def test_the_router_hands_on_a_call_only_if_its_metadata_are_an_object(metadata: object) -> None:
    frame = {"request_payload": {}, "request_metadata": metadata, "invoked_by": "somebody"}
    is_call = isinstance(metadata, dict)
    assert isinstance(parse_router_frame(_text(frame)), Invocation) == is_call


@given(st.binary() | st.text())
def test_what_is_no_json_is_misunderstood(text: str | bytes) -> None:
    for parsed in (parse_agent_frame(text, "agent"), parse_call(text)):
        assert parsed is not None
    assert not isinstance(parse_agent_frame(text, "agent"), Described | AgentLogged | Answered)


@pytest.mark.parametrize("by", ["key", "key:master_server_ml:1", "key:agent:2"])
def test_a_call_of_a_bridge_is_shown_without_its_key(by: str) -> None:
    assert show(by, {"key": "master_server_be"}, 7) == f"{by.replace('key', 'master_server_be')}:7"


def test_a_call_of_an_agent_is_shown_as_it_is() -> None:
    assert show("caller:callee:1", {"key": "master_server_be"}, 7) == "caller:callee:1:7"


@given(JSON, st.dictionaries(st.text(), JSON, max_size=3))
def test_a_call_arrives_as_it_was_made(payload: Any, metadata: dict[str, Any]) -> None:
    frame = read_json(invocation_frame("shown", payload, metadata))
    expected = {"request_payload": payload, "request_metadata": metadata, "invoked_by": "shown"}
    assert frame == read_json(write_json(expected))
