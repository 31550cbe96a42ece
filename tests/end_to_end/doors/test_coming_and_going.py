"""Agents that come through one door or another, again, and leave; and bridges that do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from websockets.exceptions import InvalidStatus

from agent_bridge.doors.connected import REPLACED
from agent_bridge.doors.keeping import TOKEN_ENDED
from agent_bridge.doors.queries import LEASE_SECONDS
from tests.end_to_end.doors.visitors import (
    REGISTER,
    Visitor,
    agent_at,
    answer_to,
    call,
    call_frame,
    until_active,
    visiting,
)
from tests.master import Invocation, answer, run_master
from tests.sql import run_sql
from tests.system import System
from tests.users import Json, User, eventually, insert_user


@pytest.fixture
async def own(bare_system: System) -> AsyncIterator[User]:
    """A user of a system whose two bridges the test may end."""
    bare_system.start_router()
    bare_system.start_gateway()
    for _ in range(2):
        bare_system.start_door(DRAIN_TIMEOUT="10", DRAIN_GRACE="0")
    with run_sql(bare_system.settings) as sql:
        async with insert_user(bare_system, sql) as user:
            yield user


def _reasons(visitor: Visitor) -> list[str]:
    return [frame["error"]["error_message"] for frame in visitor.heard if "error" in frame]


async def _is_called(system: System, caller: Json, callee: Visitor, agent_id: str) -> bool:
    """Whether a call of another agent reaches this connection."""
    callee.heard.clear()
    key = f"{caller['id']}:{agent_id}"
    calling = asyncio.create_task(call(system.doors[0], key, call_frame(agent_id)))
    try:
        async with asyncio.timeout(5):
            await callee.say(answer_to(await callee.next_invocation(), "here"))
            return bool((await calling).get("response") == "here")
    except (TimeoutError, AssertionError):
        return False
    finally:
        calling.cancel()


@pytest.mark.parametrize("door", [0, 1], ids=["the same door", "another door"])
async def test_of_one_agent_that_comes_twice_the_newer_connection_stays(
    system: System, user: User, door: int
) -> None:
    async with (
        agent_at(system.doors[1], user) as (_, caller),
        agent_at(system.doors[0], user) as (older, agent),
        visiting(system.doors[door], X_Custom_Authorization=agent["jwt"]) as newer,
    ):
        await newer.say(REGISTER)
        assert await older.end() == 1008
        assert _reasons(older) == [REPLACED]
        await eventually(
            lambda: _is_called(system, caller, newer, agent["id"]), "the newer one is called", 20
        )
        assert (await user.read_agent(agent["id"]))["is_active"]
        assert newer.connection.close_code is None


@pytest.mark.parametrize("deed", ["delete", "renew"])
async def test_whose_token_ends_is_out_within_a_second(
    system: System, user: User, deed: str
) -> None:
    async with agent_at(system.doors[1], user) as (visitor, agent):
        path = f"/api/agents/{agent['id']}"
        if deed == "delete":
            done = await user.http.delete(path)
        else:
            done = await user.http.post(f"{path}/token")
        assert done.is_success, done.text
        async with asyncio.timeout(3):
            assert await visitor.end() == 1008
        assert _reasons(visitor) == [TOKEN_ENDED] or TOKEN_ENDED in _reasons(visitor)
        async with visiting(system.doors[0], X_Custom_Authorization=agent["jwt"]) as again:
            assert await again.end() == 1008


async def test_callers_with_the_same_key_get_each_his_own_answer(
    system: System, user: User
) -> None:
    async with (
        agent_at(system.doors[1], user) as (_, caller),
        agent_at(system.doors[0], user) as (agent, registered),
    ):
        key, id_ = f"{caller['id']}:{registered['id']}", registered["id"]
        calls = [
            asyncio.create_task(call(system.doors[0], key, call_frame(id_, number=number)))
            for number in range(5)
        ]

        async def all_came() -> bool:
            return len(agent.invocations) == 5

        await eventually(all_came, "all calls came")
        for invocation in reversed(agent.invocations):
            await agent.say(answer_to(invocation, invocation["request_payload"]["number"]))
        assert [(await each)["response"] for each in calls] == [0, 1, 2, 3, 4]


async def test_a_call_or_an_answer_that_is_too_large_is_a_sentence(
    system: System, user: User
) -> None:
    text = "x" * 1024 * 1024
    async with (
        agent_at(system.doors[1], user) as (_, caller),
        agent_at(system.doors[0], user) as (agent, registered),
    ):
        key, id_ = f"{caller['id']}:{registered['id']}", registered["id"]
        refused = await call(system.doors[0], key, call_frame(id_, text=text))
        assert "The call has 1,025 KB" in refused["error"]["error_message"]
        assert agent.invocations == []
        calling = asyncio.create_task(call(system.doors[0], key, call_frame(id_)))
        await agent.say(answer_to(await agent.next_invocation(), text))
        assert "The answer has 1,025 KB" in (await calling)["error"]["error_message"]
        assert agent.connection.close_code is None


async def test_who_waits_for_an_agent_that_leaves_is_told(system: System, user: User) -> None:
    async with agent_at(system.doors[1], user) as (_, caller), AsyncExitStack() as stack:
        agent, registered = await stack.enter_async_context(agent_at(system.doors[0], user))
        key, id_ = f"{caller['id']}:{registered['id']}", registered["id"]
        calling = asyncio.create_task(call(system.doors[1], key, call_frame(id_)))
        await agent.next_invocation()
        await stack.aclose()
        assert (await calling)["error"]["error_message"] == "Agent has been unregistered"
        await until_active(user, id_, is_active=False)


async def test_agents_of_a_bridge_that_was_killed_are_gone_with_its_lease(
    bare_system: System, own: User
) -> None:
    async with (
        agent_at(bare_system.doors[0], own) as (lost, agent),
        agent_at(bare_system.doors[1], own) as (_, stays),
    ):
        bare_system.children["bridge 1"].kill()
        await lost.end()

        async def is_gone() -> bool:
            return not (await own.read_agent(agent["id"]))["is_active"]

        await eventually(is_gone, "it is inactive", LEASE_SECONDS + 5)
        assert (await own.read_agent(stays["id"]))["is_active"]
        async with visiting(bare_system.doors[1], X_Custom_Authorization=agent["jwt"]) as again:
            await again.say(REGISTER)
            await until_active(own, agent["id"], is_active=True)


async def test_a_bridge_that_goes_down_keeps_agents_until_its_requests_have_ended(
    bare_system: System, own: User
) -> None:
    ended = asyncio.Event()

    async def behave(invocation: Invocation) -> object:
        await ended.wait()
        await invocation.log("the last word")
        return answer(str(invocation.payload["message"]))

    door = bare_system.doors[0]
    bare_system.children["bridge 2"].stop()
    async with (
        run_master(bare_system.router_url, behave, door_url=door) as master,
        agent_at(door, own) as (agent, _),
        own.chat() as chat,
    ):
        await chat.send("hello")

        async def has_begun() -> bool:
            return bool(master.invocations)

        await eventually(has_begun, "the request is worked on")
        going = asyncio.create_task(asyncio.to_thread(bare_system.children["bridge 1"].stop, 20))

        # Whoever comes before it is shut takes its agent's place: so another one comes.
        another = await own.register_agent(f"another {uuid4()}")

        async def is_shut() -> bool:
            try:
                async with visiting(door, X_Custom_Authorization=another["jwt"]):
                    return False
            except InvalidStatus as refusal:
                return refusal.response.status_code == 503

        await eventually(is_shut, "nobody comes in any more")
        assert agent.connection.close_code is None
        ended.set()
        frames = [await chat.receive(), await chat.receive()]
        assert [frame["type"] for frame in frames] == ["agent_log", "agent_response"]
        assert frames[1]["response"]["response"] == answer("hello")
        assert await agent.end() == 1012
        await going
