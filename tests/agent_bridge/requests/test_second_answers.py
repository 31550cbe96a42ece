"""Answers and departures that nobody waits for: they reach no other user and end nothing."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from agent_bridge.router import session as session_module
from agent_bridge.router.frames import MASTER_SERVER_ML, AgentLogged, Reply
from agent_bridge.router.lanes import Lane, Lanes
from agent_bridge.router.session import AgentEvent, LogEvent, RouterSession
from devstack.processes import free_port
from devstack.router import start_router
from devstack.routing import Keys
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.agent_bridge.actors import ANSWER_SECONDS, connected, connected_agent
from tests.devstack.router_client import token_of
from tests.master import Invocation, Master, answer
from tests.system import BE_KEY, ML_KEY, System
from tests.users import User, eventually

OWNER = UUID(int=1)
STRANGE_KEYS = [":", "::master_server_be:", ":master_server_ml:"]
COMINGS_AND_GOINGS = 10


@pytest.fixture
def replies(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """The frames that a master agent has answered, by their message, to answer them again."""
    frames: dict[str, dict[str, Any]] = {}
    reply_once = Master._reply

    async def reply(self: Master, frame: dict[str, Any], content: dict[str, Any]) -> None:
        frames[frame["request_payload"].get("message", "")] = frame
        await reply_once(self, frame, content)

    monkeypatch.setattr(Master, "_reply", reply)
    return frames


async def test_a_second_answer_that_comes_while_another_user_waits_does_not_reach_him(
    user: User, other_user: User, master: Master, replies: dict[str, dict[str, Any]]
) -> None:
    async def behave(invocation: Invocation) -> object:
        if invocation.payload["message"] == "theirs":
            await master._reply(replies["mine"], {"response": answer("a secret of mine")})
        return answer(f"for {invocation.payload['message']}")

    master.behave = behave
    async with user.chat() as mine, other_user.chat() as theirs:
        await mine.ask("mine")
        frame = await theirs.ask("theirs")
    assert frame["response"]["response"] == answer("for theirs")


async def test_a_user_s_idle_lane_is_never_lent_to_another_user(
    system: System, master: Master
) -> None:
    lanes = Lanes(system.settings)
    async with lanes.lend(OWNER) as mine:
        await _ask(mine)
    async with lanes.lend(UUID(int=2)) as theirs:
        assert theirs is not mine
    async with lanes.lend(OWNER) as again:
        assert again is mine
    await lanes.close()


async def _ask(lane: Lane) -> None:
    async with asyncio.timeout(ANSWER_SECONDS):
        reply = await lane.invoke(MASTER_SERVER_ML, {"message": "hello"}, "r", "s")
    assert isinstance(reply, Reply)


async def _come_and_go(system: System, key: str) -> None:
    """Be a stranger whose end the router tells to everyone who has the key in his own."""
    async with connected(system, x_custom_invoke_key="witness:master_server_be:x") as witness:
        async with connected(system, x_custom_invoke_key=key):
            pass
        if key in "witness:master_server_be:x":
            await witness.receive()


@pytest.mark.parametrize("key", STRANGE_KEYS)
async def test_an_idle_lane_that_hears_of_a_departure_stays_in_use(
    key: str, system: System, master: Master
) -> None:
    lanes = Lanes(system.settings)
    async with lanes.lend(OWNER) as lane:
        await _ask(lane)
    for _ in range(3):
        await _come_and_go(system, key)
    async with lanes.lend(OWNER) as again:
        assert again is lane
        await _ask(again)
    await lanes.close()


@pytest.fixture
async def own_router(environment: dict[str, str]) -> AsyncIterator[System]:
    """A router of the test's own, in this process."""
    port = free_port()
    url = f"ws://127.0.0.1:{port}/ws"
    async with await start_router(Keys(BE_KEY, ML_KEY), port):
        yield System({**environment, "ROUTER_WS_URL": url})


@pytest.mark.parametrize("key", STRANGE_KEYS)
async def test_strangers_that_come_and_go_do_not_end_the_session(
    key: str, own_router: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "PROBE_SECONDS", 0.02)
    settings = read_settings(own_router.environment, Settings)
    probes: set[str] = set()

    session = RouterSession(settings, ignore)

    async def probed(count: int) -> None:
        async def holds() -> bool:
            probes.add(session._probe)
            return len(probes) >= count

        await eventually(holds, f"{count} probes")

    holding = asyncio.create_task(session.hold(ignore, _nothing))
    await probed(2)
    for _ in range(COMINGS_AND_GOINGS):
        async with connected(own_router, x_custom_invoke_key=key):
            pass
        await probed(len(probes) + 1)
    await probed(len(probes) + 2)
    assert session.is_held
    assert not holding.done()
    holding.cancel()
    await asyncio.wait({holding})


async def test_what_was_delivered_to_a_session_that_is_given_up_is_heard(
    own_router: System, delivered: list[str]
) -> None:
    heard: list[str] = []

    def put(event: LogEvent) -> None:
        assert isinstance(event, AgentLogged)
        if not heard:
            holding.cancel()
        heard.append(event.message)

    async def is_held() -> bool:
        return session.is_held

    session = RouterSession(read_settings(own_router.environment, Settings), put)
    holding = asyncio.create_task(session.hold(ignore, _nothing))
    await eventually(is_held, "the session is held")
    async with connected_agent(own_router, token_of(str(OWNER))) as agent:
        for number in range(100):
            await agent.log(str(number), "session", "request")
        await asyncio.wait({holding})
    assert len(delivered) > 1
    assert heard == delivered


def ignore(_event: LogEvent | AgentEvent) -> None:
    """Nobody reads it."""


async def _nothing() -> None:
    """Nobody notes it."""
