"""The router session: it is lost, goes deaf, and comes back, without agents that suffer for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic

from websockets.exceptions import ConnectionClosed

from tests.agent_bridge.actors import (
    RouterClient,
    connected,
    connected_agent,
    is_active,
    unanswered,
    until_active,
    until_inactive,
)
from tests.agent_bridge.broken import keep_bridges, living_bridges, until_heard
from tests.agent_bridge.requests.test_requests import AT_ONCE, assert_failed
from tests.master import answer, run_master
from tests.system import BE_KEY, System
from tests.users import Json, User, eventually


@asynccontextmanager
async def _active_agent(system: System, owner: User) -> AsyncIterator[tuple[Json, RouterClient]]:
    agent = await owner.register_agent("steady", "stays connected")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("steady", "stays connected")
        await until_active(owner, agent["id"])
        yield agent, connection


async def test_a_bridge_whose_identity_was_taken_over_and_dropped_is_back_within_5_seconds(
    running: System, owner: User
) -> None:
    async with _active_agent(running, owner):
        async with connected(running, API_KEY=BE_KEY):
            pass
        await until_heard(running, owner, 5)


async def test_agents_stay_active_while_a_deaf_session_comes_back(
    running: System, owner: User
) -> None:
    async with _active_agent(running, owner) as (agent, _):
        async with connected(running, API_KEY=BE_KEY):
            pass
        await until_heard(running, owner, 5)
        assert await is_active(owner, agent["id"]) is True


async def test_a_frame_over_the_limit_costs_neither_the_session_nor_the_agents(
    running: System, owner: User
) -> None:
    async with _active_agent(running, owner) as (agent, _):
        async with connected(running, x_custom_invoke_key="anyone") as stranger:
            await stranger.invoke_bridge({"huge": "x" * 17 * 1024 * 1024})
        await _until_session_is_lost(running)
        await until_heard(running, owner, 5)
        assert await is_active(owner, agent["id"]) is True


async def _until_session_is_lost(system: System) -> None:
    [bridge] = living_bridges(system)

    async def holds() -> bool:
        return "1009" in bridge.last_lines()

    await eventually(holds, "the frame has reached the bridge")


async def test_chats_go_on_while_the_session_is_deaf(running: System, owner: User) -> None:
    async with run_master(running.router_url), owner.chat() as chat:
        await chat.ask("before")
        async with connected(running, API_KEY=BE_KEY):
            pass
        assert (await chat.ask("meanwhile"))["response"]["response"] == answer("echo: meanwhile")


async def test_without_a_router_the_sender_is_told_at_once(running: System, owner: User) -> None:
    running.children["router"].kill()
    keep_bridges(running, 1, DEBUG="false")
    async with owner.chat() as chat:
        began = monotonic()
        assert "router" in assert_failed(await chat.ask("too early"))
        assert monotonic() - began < AT_ONCE


async def test_a_router_that_starts_after_the_bridge_is_found_within_seconds(
    running: System, owner: User
) -> None:
    running.children["router"].kill()
    keep_bridges(running, 1, DEBUG="false")
    running.start_router()
    async with run_master(running.router_url), owner.chat() as chat:
        assert (await chat.ask("now"))["response"]["response"] == answer("echo: now")
    await until_heard(running, owner, 3)


async def test_a_router_that_dies_in_the_middle_is_told_at_once_and_the_next_message_is_answered(
    running: System, owner: User
) -> None:
    async with owner.chat() as chat:
        with suppress(ConnectionClosed):  # the master agent's own
            async with run_master(running.router_url) as master, unanswered(master, chat):
                killed = monotonic()
                running.children["router"].kill()
                assert_failed(await chat.receive_answer())
        assert monotonic() - killed < AT_ONCE
        running.start_router()
        async with run_master(running.router_url):
            assert (await chat.ask("again"))["response"]["response"] == answer("echo: again")


async def test_agents_are_inactive_while_the_router_is_gone_and_active_once_they_are_back(
    running: System, owner: User
) -> None:
    async with _active_agent(running, owner) as (agent, _):
        running.children["router"].kill()
        await until_inactive(owner, agent["id"], 5)
    running.start_router()
    await until_heard(running, owner, 5)
    assert await is_active(owner, agent["id"]) is False
    async with connected_agent(running, agent["jwt"]) as connection:
        await connection.register("steady", "stays connected")
        await until_active(owner, agent["id"])


async def test_a_killed_leader_is_replaced_within_5_seconds_and_agents_stay_active(
    running: System, owner: User
) -> None:
    keep_bridges(running, 2)
    [leader, _] = living_bridges(running)
    async with _active_agent(running, owner) as (agent, _):
        leader.kill()
        await until_heard(running, owner, 5)
        assert await is_active(owner, agent["id"]) is True


async def test_a_bridge_that_is_stopped_and_started_again_keeps_agents_active(
    running: System, owner: User
) -> None:
    async with _active_agent(running, owner) as (agent, _):
        [bridge] = living_bridges(running)
        bridge.stop()
        keep_bridges(running, 1)
        await until_heard(running, owner, 5)
        assert await is_active(owner, agent["id"]) is True
