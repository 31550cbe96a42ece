"""Asking the router who is connected: what it answers, however odd those are who were asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from websockets.asyncio.client import ClientConnection

from agent_bridge.agents import presence as presence_module
from agent_bridge.agents import reconciliation as reconciliation_module
from agent_bridge.agents.presence import Presence, ask_presence
from agent_bridge.agents.queries import KnownAgent
from agent_bridge.agents.reconciliation import Reconciliation
from agent_bridge.router.frames import AgentRegistered, AgentUnregistered, presence_frames
from agent_bridge.router.lanes import RouterAwayError
from agent_bridge.router.session import AgentEvent, AgentsSeen
from devstack.postgres import PostgresServer
from devstack.processes import free_port
from devstack.router import start_router
from devstack.routing import Delivery, Keys, Peer, Router
from devstack.valkey import ValkeyServer
from shared.postgres.pool import create_database
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.agent_bridge.actors import RouterClient, connected_agent
from tests.devstack.router_client import token_of
from tests.system import BE_KEY, ML_KEY, System, make_environment

REFUSAL = {"error_message": "Agent is NOT active", "error_type": "AgentNotActive"}

type Behaviour = Callable[[RouterClient, str], Awaitable[None]]


@pytest.fixture
def environment(postgres: PostgresServer, valkey: ValkeyServer) -> dict[str, str]:
    """Nobody stores anything here."""
    return make_environment(postgres, "none", valkey, free_port())


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return read_settings(environment, Settings)


@pytest.fixture
async def router(environment: dict[str, str]) -> AsyncIterator[System]:
    """A router of the test's own, in this process."""
    async with await start_router(Keys(BE_KEY, ML_KEY), int(environment["ROUTER_PORT"])):
        yield System(environment)


@pytest.fixture
def reconciliation(settings: Settings) -> Reconciliation:
    return Reconciliation(settings, create_database(settings))


def _ids(count: int) -> list[UUID]:
    return [uuid4() for _ in range(count)]


@asynccontextmanager
async def _connected_agents(router: System, ids: list[UUID]) -> AsyncIterator[list[RouterClient]]:
    async with AsyncExitStack() as stack:
        agents = [connected_agent(router, token_of(str(agent_id))) for agent_id in ids]
        yield [await stack.enter_async_context(agent) for agent in agents]


@asynccontextmanager
async def _hostile_agent(router: System, behave: Behaviour) -> AsyncIterator[UUID]:
    """An agent that does something to each connection that asks about it."""
    agent_id = uuid4()

    async def live(agent: RouterClient) -> None:
        async for text in agent.connection:
            await behave(agent, json.loads(text)["invoked_by"])

    async with connected_agent(router, token_of(str(agent_id))) as agent:
        living = asyncio.create_task(live(agent))
        yield agent_id
        living.cancel()
        await asyncio.wait({living})


async def test_of_many_agents_those_that_are_connected_are_told_from_the_others(
    router: System, settings: Settings
) -> None:
    ids = _ids(1000)
    async with _connected_agents(router, ids[::40]):
        seen = await ask_presence(settings, ids)
    assert seen.present == frozenset(ids[::40])
    assert seen.absent == frozenset(ids) - seen.present


async def test_those_that_are_asked_are_not_told_the_back_end_s_key(
    router: System, settings: Settings
) -> None:
    ids = _ids(1)
    async with _connected_agents(router, ids) as [agent]:
        await ask_presence(settings, ids)
        assert BE_KEY not in json.dumps(await agent.receive())


async def _refuse(agent: RouterClient, key: str) -> None:
    for _ in range(50):
        await agent.send({"message_type": "agent_error", "error": REFUSAL, "invoked_by": key})


async def _say_too_much(agent: RouterClient, key: str) -> None:
    huge = "x" * 17 * 1024 * 1024
    await agent.send({"message_type": "agent_response", "response": huge, "invoked_by": key})


async def _say_nonsense(agent: RouterClient, key: str) -> None:
    odds: list[Any] = [None, 5, [], {}, {"error_message": None}, {"error_message": "mark"}]
    for odd in odds:
        await agent.send({"message_type": "agent_error", "error": odd, "invoked_by": key})


@pytest.mark.parametrize("behave", [_say_too_much, _say_nonsense])
async def test_an_agent_that_sends_odd_frames_to_who_asks_changes_nothing_of_the_others(
    behave: Behaviour, router: System, settings: Settings
) -> None:
    ids = _ids(250)
    async with _connected_agents(router, ids[::25]), _hostile_agent(router, behave) as hostile:
        seen = await ask_presence(settings, [*ids[:50], hostile, *ids[50:]])
    assert seen.present - {hostile} == frozenset(ids[::25])
    assert seen.absent == frozenset(ids) - seen.present


async def test_an_agent_that_closes_the_connection_that_asks_is_passed_over(
    router: System, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _ids(3)
    asked: list[int] = []
    ask = presence_module._ask

    async def cut(settings: Settings, agent_ids: list[UUID]) -> list[bool | None]:
        asked.append(len(agent_ids))
        return [] if agent_ids[0] == ids[1] else (await ask(settings, agent_ids))[:1]

    monkeypatch.setattr(presence_module, "_ask", cut)
    async with _connected_agents(router, ids[:2]):
        seen = await ask_presence(settings, ids)
    assert asked == [3, 2, 1]
    assert (seen.present, seen.absent) == (frozenset(ids[:1]), frozenset(ids[2:]))


async def _send_slowly(connection: ClientConnection, ids: list[UUID], marks: list[str]) -> None:
    for agent_id, mark in zip(ids, marks, strict=True):
        for frame in presence_frames(str(agent_id), mark):
            await connection.send(frame)
        await asyncio.sleep(0.005)


async def test_an_agent_that_forges_refusals_of_others_deactivates_nobody(
    router: System, reconciliation: Reconciliation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence_module, "_send", _send_slowly)  # so that it comes in between
    ids = _ids(50)
    seen: list[AgentEvent] = []
    async with _connected_agents(router, ids[::2]), _hostile_agent(router, _refuse) as hostile:
        known = [
            KnownAgent(agent_id, is_active=True, is_verified=agent_id in ids[:3])
            for agent_id in [hostile, *ids]
        ]
        await reconciliation._ask(seen.append, known)
    present, absent = frozenset([hostile, *ids[::2]]), frozenset(ids[1::2])
    assert seen == [AgentsSeen(present, absent, verified=frozenset([ids[0], ids[2]]))]


@pytest.mark.parametrize("is_active", [True, False])
async def test_agents_that_come_or_go_while_the_router_is_asked_are_not_judged(
    is_active: bool, router: System, reconciliation: Reconciliation, monkeypatch: pytest.MonkeyPatch
) -> None:
    came, left, silent = _ids(3)

    async def ask_slowly(settings: Settings, ids: Iterable[UUID]) -> Presence:
        seen = await ask_presence(settings, ids)
        reconciliation.heard(AgentRegistered(str(came), "jwt", "came", "", {}))
        reconciliation.heard(AgentUnregistered(str(left)))
        return seen

    monkeypatch.setattr(reconciliation_module, "ask_presence", ask_slowly)
    seen: list[AgentEvent] = []
    async with _connected_agents(router, [left]):
        known = [
            KnownAgent(each, is_active=is_active, is_verified=True) for each in (came, left, silent)
        ]
        await reconciliation._ask(seen.append, known)
    assert seen == [AgentsSeen(frozenset(), frozenset([silent]))]


async def test_without_a_router_nothing_is_said_of_anybody(settings: Settings) -> None:
    with pytest.raises(RouterAwayError):
        await ask_presence(settings, _ids(1))


async def test_a_router_that_does_not_answer_says_nothing_of_anybody(
    router: System, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence_module, "ANSWER_SECONDS", 0.0)
    with pytest.raises(RouterAwayError):
        await ask_presence(settings, _ids(5))


async def test_an_agent_at_which_the_router_stops_is_passed_over(
    router: System, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence_module, "ANSWER_SECONDS", 0.2)
    ids = _ids(3)
    receive = Router.receive
    stopped: set[Peer] = set()

    def stop(self: Router, sender: Peer, text: str) -> list[Delivery]:
        if json.loads(text).get("agent_uuid") == str(ids[1]):
            stopped.add(sender)
        return [] if sender in stopped else receive(self, sender, text)

    monkeypatch.setattr(Router, "receive", stop)
    seen = await ask_presence(settings, ids)
    assert (seen.present, seen.absent) == (frozenset(), frozenset([ids[0], ids[2]]))
