"""Whatever a client sends: each frame has exactly one answer, and the next good message its own."""

import json
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from tests.end_to_end.socket.front_end import FAULTS
from tests.gateway.openapi.test_channels import errors_of
from tests.master import Master
from tests.system import System
from tests.users import Chat, User

type Frame = str | bytes

ANY_TEXT = st.text(
    st.characters(exclude_categories=[]), max_size=40
)  # lone surrogates and NULs too
NUMBERS = st.integers() | st.sampled_from([2**63, -(2**64), 10**400]) | st.floats()
ANY_JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=10,
)
NAME = st.sampled_from(["config", "nothing of this name", "", "x" * 256]) | ANY_TEXT
NEAR_MESSAGES = st.fixed_dictionaries(
    {"message": ANY_TEXT | ANY_JSON},
    optional={
        "llm": st.fixed_dictionaries({}, optional={"llm_name": NAME | ANY_JSON}) | ANY_JSON,
        "llm_name": NAME | ANY_JSON,
        "provider": NAME | ANY_JSON,
        "files": st.lists(st.uuids().map(str) | ANY_JSON, max_size=4) | ANY_JSON,
        "seq": ANY_JSON,
        "type": NAME,
    },
)
AWKWARD: list[Frame] = [
    "",
    b"",
    "\0",
    "null",
    "NaN",
    '{"message": 1e999}',
    '{"message": "\\ud800"}',
    '{"message": "a\\u0000"}',
    '{"message": 1, "message": "the last one counts"}',
    '{"message": "the last one counts", "message": 1}',
    '{"message": "a", "files": ' + "[" * 100_000,
    '{"message": "a", "x": ' + "[" * 900 + "]" * 900 + "}",
    '{"message": "a", "llm": ' + '{"llm_name":' * 500 + "1" + "}" * 501,
    '{"message": "' + "a" * 600_000 + '"}',
    '{"message": "a", "provider": ' + "9" * 5000 + "}",
    "\ufeff" + '{"message": "a"}',
]
FRAMES: st.SearchStrategy[Frame] = st.one_of(
    NEAR_MESSAGES.map(json.dumps),
    ANY_JSON.map(json.dumps),
    st.text(max_size=40),
    st.binary(max_size=40),
    st.sampled_from(AWKWARD),
)


ANY_NUMBER = settings(
    derandomize=True,
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@ANY_NUMBER
@given(frames=st.lists(FRAMES, min_size=1, max_size=4))
@example(frames=AWKWARD)
async def test_each_frame_has_one_answer_and_the_next_message_its_own(
    system: System, user: User, master: Master, frames: list[Frame]
) -> None:
    written = len(system.log_of("gateway 1"))
    async with user.chat() as chat:
        for frame in frames:
            await _check_answer(chat, frame)
        message = f"good {uuid4()}"
        answer = await chat.ask(message)
    assert answer["response"]["response"]["response"] == f"echo: {message}"
    logged = system.log_of("gateway 1")[written:]
    assert "Traceback" not in logged
    assert '"level":"error"' not in logged


@settings(ANY_NUMBER, max_examples=30)
@given(frames=st.lists(FRAMES, min_size=1, max_size=4))
@example(frames=AWKWARD)
async def test_in_the_second_protocol_each_frame_has_one_answer_as_json(
    system: System, user: User, master: Master, frames: list[Frame]
) -> None:
    written = len(system.log_of("gateway 1"))
    async with user.chat(protocol=2) as chat:
        for frame in frames:
            await chat.connection.send(frame)
            told = await chat.receive()
            if told["type"] == "error":
                assert errors_of("ErrorFrame", told) == []
                continue
            assert errors_of("AcceptedFrame", told) == []
            answer = await chat.receive()
            assert answer["response"]["request_id"] == told["request_id"]
    logged = system.log_of("gateway 1")[written:]
    assert "Traceback" not in logged
    assert '"level":"error"' not in logged


def _is_cancellation(frame: Frame) -> bool:
    with suppress(ValueError, RecursionError):
        data = json.loads(frame) if isinstance(frame, str) else None
        return isinstance(data, dict) and data.get("type") == "cancel"
    return False


async def _check_answer(chat: Chat, frame: Frame) -> None:
    await chat.connection.send(frame)
    try:
        text = await chat.receive_text()
    except ConnectionClosed as closed:
        pytest.fail(f"{frame[:200]!r} closed the socket: {closed}")
    if text.startswith(FAULTS):
        faults = json.loads(text.removeprefix(FAULTS))
        assert all(fault.keys() == {"type", "loc", "msg", "input"} for fault in faults)
        if not _is_cancellation(frame):
            refused = await chat.receive()
            assert (refused["seq"], refused["response"]["is_success"]) == (None, False)
        return
    answer: dict[str, Any] = json.loads(text)
    assert answer["seq"] is not None, f"{frame[:200]!r} was refused: {answer}"
    assert errors_of("ResponseFrame", answer) == []
    assert errors_of("ClientMessage", json.loads(frame)) == []
