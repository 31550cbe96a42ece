"""While doors are opened: bridges with one and without, agents at one and at the router itself."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent_bridge.router.frames import presence_frames
from tests.end_to_end.doors.visitors import (
    Visitor,
    agent_at,
    answer_to,
    call,
    call_frame,
    until_active,
    visiting,
)
from tests.master import run_master
from tests.sql import run_sql
from tests.system import System
from tests.users import Json, User, eventually, insert_user

CHATS = 20


@pytest.fixture
async def own(bare_system: System) -> AsyncIterator[User]:
    """A user of a system with one bridge of each kind, of which the closed one leads."""
    bare_system.start_router()
    bare_system.start_gateway()
    bare_system.start_bridge()
    bare_system.start_door()
    with run_sql(bare_system.settings) as sql:
        async with insert_user(bare_system, sql) as user:
            yield user


async def _ask(user: User, text: str) -> str:
    async with user.chat() as chat:
        frame = await chat.ask(text)
        return str(frame["response"]["response"]["response"])


async def test_with_the_master_agent_at_a_door_bridges_without_one_reach_it_too(
    bare_system: System, own: User
) -> None:
    texts = [f"message {number}" for number in range(CHATS)]
    async with run_master(bare_system.router_url, door_url=bare_system.doors[0]) as master:
        answers = await asyncio.gather(*(_ask(own, text) for text in texts))
        assert answers == [f"echo: {text}" for text in texts]
        assert {call.payload["message"] for call in master.invocations} == set(texts)


async def _is_answered(url: str, caller: Json, callee: Visitor, id_: str) -> bool:
    calling = asyncio.create_task(call(url, f"{caller['id']}:{id_}", call_frame(id_)))
    await callee.say(answer_to(await callee.next_invocation(), "here"))
    return bool((await calling).get("response") == "here")


async def test_agents_at_a_door_and_at_the_router_call_each_other(
    bare_system: System, own: User
) -> None:
    door, router = bare_system.doors[0], bare_system.router_url
    async with agent_at(door, own) as (new, at_door), agent_at(router, own) as (old, at_router):
        assert await _is_answered(door, at_door, old, at_router["id"])
        assert await _is_answered(router, at_router, new, at_door["id"])


async def test_an_agent_that_comes_to_a_door_takes_its_place_at_the_router(
    bare_system: System, own: User
) -> None:
    door, router = bare_system.doors[0], bare_system.router_url
    async with (
        agent_at(door, own) as (_, caller),
        agent_at(router, own) as (old, agent),
        visiting(door, X_Custom_Authorization=agent["jwt"]) as new,
    ):
        await new.say({"message_type": "agent_register", "request_payload": {"agent_name": "new"}})
        assert await _is_answered(door, caller, new, agent["id"])
        assert old.invocations == []
        await until_active(own, agent["id"], is_active=True)


async def test_who_asks_the_router_whether_an_agent_at_a_door_is_there_does_not_run_it(
    bare_system: System, own: User
) -> None:
    door, router = bare_system.doors[0], bare_system.router_url
    async with (
        agent_at(door, own) as (agent, registered),
        agent_at(door, own) as (_, caller),
        visiting(router, x_custom_invoke_key="presence:somebody") as asking,
    ):
        for frame in presence_frames(registered["id"], "mark"):
            await asking.connection.send(frame)

        async def is_told() -> bool:
            return bool(asking.heard)

        await eventually(is_told, "the router has handled the question")
        assert await _is_answered(door, caller, agent, registered["id"])
        assert len(agent.invocations) == 1
