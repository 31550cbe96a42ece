"""A bridge that goes down with an agent and a request at its door."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from websockets.exceptions import InvalidStatus

from tests.end_to_end.doors.visitors import (
    agent_at,
    visiting,
)
from tests.master import Invocation, answer, run_master
from tests.sql import run_sql
from tests.system import System
from tests.users import User, eventually, insert_user


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
