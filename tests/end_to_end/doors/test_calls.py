"""Calls of agents by agents, and by the master agent, at one door or between two."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from attrs import frozen

from agent_bridge.router.frames import UNREGISTERED
from shared.settings.bridge import MASTER_FRAME_BYTES
from tests.end_to_end.doors.visitors import (
    Visitor,
    agent_at,
    answer_to,
    call_frame,
    until_active,
    visiting,
)
from tests.system import System
from tests.users import Json, User, eventually

MIB = 1024 * 1024
SENTENCE = "libraries take 1,008 KB at most"


@frozen
class Pair:
    """An agent that is called, and the key that another one of the user calls it with."""

    callee: Visitor
    registered: Json
    key: str

    @property
    def callee_id(self) -> str:
        """Who is called."""
        return str(self.registered["id"])


@pytest.fixture
async def pair(system: System, user: User) -> AsyncIterator[Pair]:
    """Both are connected, at two doors."""
    first, second = system.doors
    async with agent_at(first, user) as (callee, registered), agent_at(second, user) as (_, caller):
        yield Pair(callee, registered, f"{caller['id']}:{registered['id']}")


@asynccontextmanager
async def calling(url: str, pair: Pair, **payload: str) -> AsyncIterator[Visitor]:
    """A call that has reached the callee."""
    before = len(pair.callee.invocations)

    async def is_called() -> bool:
        return len(pair.callee.invocations) > before

    async with visiting(url, x_custom_invoke_key=pair.key) as caller:
        await caller.say(call_frame(pair.callee_id, **payload))
        await eventually(is_called, "the call has come")
        yield caller


async def heard_by(caller: Visitor) -> Json:
    """What a caller hears first."""

    async def has_heard() -> bool:
        return bool(caller.heard)

    await eventually(has_heard, "the caller hears something")
    return caller.heard[0]


@pytest.mark.parametrize("door", [0, 1], ids=["at its door", "at another"])
async def test_callers_hear_that_the_callee_has_left(
    system: System, user: User, pair: Pair, door: int
) -> None:
    async with calling(system.doors[door], pair) as caller:
        await pair.callee.connection.close()
        error = (await heard_by(caller))["error"]
    assert error == {"error_message": UNREGISTERED, "agent_uuid": pair.callee_id}
    await until_active(user, pair.callee_id, is_active=False)


async def test_what_was_answered_before_the_callee_left_is_heard(
    system: System, pair: Pair
) -> None:
    for door in system.doors[:1]:
        async with calling(door, pair) as caller:
            await pair.callee.say(answer_to(pair.callee.invocations[-1], "my last word"))
            await pair.callee.connection.close()
            assert (await heard_by(caller))["response"] == "my last word"


async def test_callers_with_the_very_same_key_get_each_their_own_answer(
    system: System, pair: Pair
) -> None:
    first, second = system.doors
    async with (
        calling(first, pair, text="one") as one,
        calling(first, pair, text="two") as two,
        calling(second, pair, text="three") as three,
    ):
        for invocation in reversed(pair.callee.invocations):
            text = invocation["request_payload"]["text"]
            await pair.callee.say(answer_to(invocation, f"answer to {text}"))
        answers = [(await heard_by(caller))["response"] for caller in (one, two, three)]
    assert answers == ["answer to one", "answer to two", "answer to three"]


@pytest.mark.parametrize("text", ["x" * MIB, "ž" * (MIB // 2)], ids=["ASCII", "two bytes each"])
async def test_a_call_that_is_too_large_is_a_sentence(
    system: System, pair: Pair, text: str
) -> None:
    async with visiting(system.doors[1], x_custom_invoke_key=pair.key) as caller:
        await caller.say(call_frame(pair.callee_id, text=text))
        assert SENTENCE in (await heard_by(caller))["error"]["error_message"]
        assert pair.callee.invocations == []
        caller.heard.clear()
        await caller.say(call_frame(pair.callee_id, text="short"))
        await pair.callee.say(answer_to(await pair.callee.next_invocation(), "heard"))
        assert (await heard_by(caller))["response"] == "heard"


@pytest.mark.parametrize(
    "text", ["x" * MIB, "ž" * (MIB // 2), "ž" * 7 * MIB], ids=["ASCII", "two bytes each", "14 MiB"]
)
async def test_an_answer_that_is_too_large_is_a_sentence(
    system: System, pair: Pair, text: str
) -> None:
    async with calling(system.doors[1], pair) as caller:
        frame = answer_to(pair.callee.invocations[-1], text)
        await pair.callee.say_as_it_is(frame)
        assert SENTENCE in (await heard_by(caller))["error"]["error_message"]
        assert caller.connection.close_code is None
    assert pair.callee.connection.close_code is None


async def test_what_just_fits_is_passed_on(system: System, pair: Pair) -> None:
    text = "x" * (MASTER_FRAME_BYTES - 512)
    async with calling(system.doors[1], pair, text=text) as caller:
        await pair.callee.say(answer_to(pair.callee.invocations[-1], text))
        assert (await heard_by(caller))["response"] == text
