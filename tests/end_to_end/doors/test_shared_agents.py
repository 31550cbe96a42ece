"""Agents that another user shares, called and heard at a door."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent_bridge.router.frames import NOT_ACTIVE
from tests.asked import create_flow
from tests.end_to_end.doors.visitors import (
    agent_at,
    answer_to,
    call,
    call_frame,
    log_frame,
    master_key,
)
from tests.gateway.groups.sharing import make_group, share, unshare
from tests.master import Master
from tests.parts import Dictation, text_of
from tests.sql import Sql
from tests.system import System
from tests.users import Json, User, insert_user


@pytest.fixture
async def owner(system: System, sql: Sql) -> AsyncIterator[User]:
    async with insert_user(system, sql) as user:
        yield user


@pytest.mark.parametrize("kind", ["agent", "flow"])
async def test_the_master_agent_calls_it_for_a_member_who_hears_what_it_says(
    system: System, user: User, owner: User, master: Master, kind: str
) -> None:
    dictation = Dictation()
    master.behave = dictation.behave
    async with (
        agent_at(system.doors[0], owner) as (agent, registered),
        user.chat(protocol=2) as chat,
    ):
        agent_id = registered["id"]
        shared_id = agent_id if kind == "agent" else await create_flow(owner, agent_id, agent_id)
        group_id = await make_group(owner, user)
        share_id = await share(owner, group_id, kind, shared_id)
        await chat.send("Dictate")
        invocation = await dictation.invocations.get()
        assert [each["agent_id"] for each in invocation.payload["agents"]] == [shared_id]
        ids = invocation.request_id, invocation.session_id

        frame = call_frame(agent_id, *ids, task="t")
        calling = asyncio.create_task(call(system.doors[1], master_key(agent_id), frame))
        called = await agent.next_invocation()
        await agent.say({**log_frame("a part", *ids), "log_level": "delta"})
        frames: list[Json] = []
        while text_of(frames, agent_id) != "a part":
            frames.append(await chat.receive())
        await agent.say(log_frame("an entry", *ids))
        while frames[-1]["type"] != "agent_log":
            frames.append(await chat.receive())
        assert frames[-1]["log"]["message"] == "an entry"
        await agent.say(answer_to(called, "done"))
        assert (await calling)["response"] == "done"

        await unshare(owner, group_id, share_id)
        refused = await call(system.doors[1], master_key(agent_id), frame)
        assert refused["error"]["error_message"] == NOT_ACTIVE
        dictation.end()
