"""Whether agents are taken for what they are, whoever was away meanwhile: asked of the router."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from uuid import uuid4

import pytest
from attrs import frozen

from devstack.processes import Child
from tests.agent_bridge.actors import (
    RouterClient,
    connected,
    connected_agent,
    is_active,
    until_active,
    until_inactive,
)
from tests.agent_bridge.broken import keep_bridges, keep_router, until_heard
from tests.agents.running import Generation, run_steady_agent
from tests.master import run_master
from tests.shared.line import Line, run_line
from tests.system import System
from tests.users import User, eventually, register_user

GENERATIONS: list[Generation] = ["1.0", "2.0"]
TRUE_SECONDS = 5.0
HELD = "the router session is held"
ASKED = "the router was asked"
LOST = "the router session was lost"


@frozen
class Crew:
    """A user, and agents that connect again as soon as they are cut off."""

    user: User
    agents: list[str]

    async def until_active(self, seconds: float = TRUE_SECONDS) -> None:
        """Wait until all are taken for connected."""
        for agent_id in self.agents:
            await until_active(self.user, agent_id, seconds)

    async def are_active(self) -> bool:
        """Whether all are taken for connected now."""
        return all([await is_active(self.user, agent_id) for agent_id in self.agents])


@pytest.fixture(scope="module")
async def crew(breakable: System) -> AsyncIterator[Crew]:
    """An agent of each generation, as a process of its own."""
    keep_router(breakable)
    async with register_user(breakable.gateway) as user:
        agents = [await user.register_agent() for _ in GENERATIONS]
        with ExitStack() as stack:
            for generation, agent in zip(GENERATIONS, agents, strict=True):
                stack.enter_context(run_steady_agent(breakable, generation, agent["jwt"]))
            yield Crew(user, [agent["id"] for agent in agents])


@asynccontextmanager
async def _active_throughout(crew: Crew) -> AsyncIterator[None]:
    """Fails when one of the crew is taken for gone in the block."""
    seen: list[bool] = []

    async def look() -> None:
        while True:
            seen.append(await crew.are_active())
            await asyncio.sleep(0.02)

    looking = asyncio.create_task(look())
    yield
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    seen.append(await crew.are_active())
    assert all(seen)


@frozen
class Wired:
    """A bridge that reaches the router over a line; everybody else does without."""

    bridge: Child
    line: Line

    @property
    def is_leader(self) -> bool:
        """Whether it holds the session, as it has logged."""
        log = self.bridge.log.read_text()
        return log.rfind(HELD) > log.rfind(LOST)

    @property
    def times_asked(self) -> int:
        """How often it has asked about all agents."""
        return self.bridge.log.read_text().count(ASKED)

    async def until_leader(self) -> None:
        """Wait until it holds the session."""

        async def holds() -> bool:
            return self.is_leader

        await eventually(holds, f"{self.bridge.name} holds the session", TRUE_SECONDS)


@pytest.fixture(scope="module")
async def wired(breakable: System) -> AsyncIterator[list[Wired]]:
    """Two bridges in place of those that were there; they end with the module."""
    keep_bridges(breakable, 0)
    port = int(breakable.environment["ROUTER_PORT"])
    async with run_line(port) as one, run_line(port) as other:
        yield [
            Wired(breakable.start_bridge(ROUTER_WS_URL=f"ws://127.0.0.1:{line.port}/ws"), line)
            for line in (one, other)
        ]
        keep_bridges(breakable, 0)


@pytest.fixture
async def bridges(wired: list[Wired], crew: Crew) -> list[Wired]:
    """Both, the leader first; the crew is active."""

    async def is_held() -> bool:
        return sum(bridge.is_leader for bridge in wired) == 1

    await eventually(is_held, "one bridge holds the session")
    await crew.until_active(20)
    return sorted(wired, key=lambda bridge: bridge.is_leader, reverse=True)


@asynccontextmanager
async def _asked_anew(bridges: list[Wired]) -> AsyncIterator[None]:
    """Wait, after the block, until one has asked about all agents since the block began."""

    def times_asked() -> int:
        return sum(bridge.times_asked for bridge in bridges)

    before = times_asked()
    yield

    async def holds() -> bool:
        return times_asked() > before

    await eventually(holds, "the router was asked about all agents", TRUE_SECONDS)


@asynccontextmanager
async def _simple_agent(system: System, user: User) -> AsyncIterator[tuple[str, RouterClient]]:
    agent = await user.register_agent("simple", "comes and goes")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("simple", "comes and goes")
        yield agent["id"], connection


async def test_agents_are_active_again_within_5_seconds_after_the_router_was_restarted(
    breakable: System, bridges: list[Wired], crew: Crew
) -> None:
    async with _asked_anew(bridges):
        breakable.children["router"].kill()
        breakable.start_router()
    await until_heard(breakable, crew.user, TRUE_SECONDS)
    await crew.until_active()


async def test_agents_stay_active_while_only_the_bridge_s_connections_are_cut(
    bridges: list[Wired], crew: Crew
) -> None:
    [leader, _] = bridges
    async with _active_throughout(crew), _asked_anew([leader]):
        await leader.line.drop()


async def test_an_agent_that_left_while_no_bridge_reached_the_router_is_inactive(
    breakable: System, bridges: list[Wired], crew: Crew
) -> None:
    async with _active_throughout(crew):
        async with _simple_agent(breakable, crew.user) as (agent_id, _):
            await until_active(crew.user, agent_id)
            for bridge in bridges:
                await bridge.line.cut()
        for bridge in bridges:
            await bridge.line.mend()
        await until_inactive(crew.user, agent_id, TRUE_SECONDS)


async def test_the_session_moves_within_5_seconds_from_a_bridge_that_is_cut_off_from_the_router(
    breakable: System, bridges: list[Wired], crew: Crew
) -> None:
    [leader, other] = bridges
    async with _active_throughout(crew):
        leader.line.stall()
        await other.until_leader()
        await until_heard(breakable, crew.user, TRUE_SECONDS)
    await leader.line.mend()


async def test_agents_are_inactive_within_5_seconds_when_no_bridge_reaches_the_router(
    bridges: list[Wired], crew: Crew
) -> None:
    for bridge in bridges:
        await bridge.line.cut()
    for agent_id in crew.agents:
        await until_inactive(crew.user, agent_id, TRUE_SECONDS)
    for bridge in bridges:
        await bridge.line.mend()
    await crew.until_active()


async def test_agents_that_left_and_came_while_no_bridge_was_there_are_known_within_5_seconds(
    breakable: System, bridges: list[Wired], crew: Crew
) -> None:
    async with _simple_agent(breakable, crew.user) as (left, _):
        await until_active(crew.user, left)
        keep_bridges(breakable, 0)
    async with _simple_agent(breakable, crew.user) as (came, _), _active_throughout(crew):
        keep_bridges(breakable, 1)
        await until_inactive(crew.user, left, TRUE_SECONDS)
        await until_active(crew.user, came, TRUE_SECONDS)


async def test_an_agent_that_was_found_before_it_registered_is_listed_and_given(
    breakable: System, crew: Crew
) -> None:
    keep_bridges(breakable, 0)
    agent = await crew.user.register_agent("", "")
    async with connected_agent(breakable, agent["jwt"]), run_master(breakable.router_url) as master:
        keep_bridges(breakable, 1)
        await until_active(crew.user, agent["id"], TRUE_SECONDS)
        await crew.user.create_config("for it")
        async with crew.user.chat() as chat:
            await chat.ask("hello")
        listed = (await crew.user.http.get("/api/agents/active")).json()["active_connections"]
    schema = {
        "type": "function",
        "function": {
            "name": agent["alias"],
            "description": "An agent that has not said what it does",
            "parameters": {"type": "object", "properties": {}},
        },
    }
    given = {one["agent_id"]: one for one in master.invocations[0].payload["agents"]}
    assert given[agent["id"]] == {
        "agent_id": agent["id"],
        "agent_name": agent["alias"],
        "agent_description": "An agent that has not said what it does",
        "agent_schema": schema,
    }
    assert {one["id"]: one["agent_schema"] for one in listed}[agent["id"]] == schema


async def test_agents_that_were_asked_were_not_called_and_answer(
    running: System, crew: Crew
) -> None:
    await crew.until_active()
    async with connected(running, x_custom_invoke_key=f"caller {uuid4()}") as caller:
        for agent_id in crew.agents:
            call = {"message_type": "agent_invoke", "agent_uuid": agent_id}
            await caller.send({**call, "request_payload": {"text": "x"}, "request_metadata": {}})
            assert (await caller.receive())["response"] == 1
