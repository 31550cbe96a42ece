"""A gateway that goes down keeps the sockets that wait for an answer until it has come."""

import asyncio
import signal
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed

from devstack.processes import Child
from tests.agent_bridge.actors import until_invoked
from tests.end_to_end.socket.front_end import chat_at
from tests.master import Invocation, Master, answer
from tests.system import System
from tests.users import Chat, User

RESTARTING = 1012


@pytest.fixture
async def leaving(system: System) -> AsyncIterator[Child]:
    """A gateway, the last of the system, that a test tells to go down."""
    child = system.start_gateway(DRAIN_GRACE="0", DRAIN_TIMEOUT="20")
    yield child
    child.kill()
    system.gateways.pop()


def url_of(system: System) -> str:
    return system.gateways[-1].replace("http", "ws", 1) + "/frontend/ws"


async def until_closed(chat: Chat) -> int | None:
    try:
        while True:
            await chat.receive()
    except ConnectionClosed:
        return chat.connection.close_code


async def test_who_waits_gets_the_answer_and_who_does_not_is_closed_at_once(
    system: System, user: User, master: Master, leaving: Child
) -> None:
    released = asyncio.Event()

    async def behave(invocation: Invocation) -> Any:
        await invocation.log("working")
        await released.wait()
        return answer("done")

    master.behave = behave
    url = url_of(system)
    async with chat_at(url, user, str(uuid4())) as idle, chat_at(url, user, str(uuid4())) as chat:
        await chat.send("slow")
        await until_invoked(master)
        leaving.process.send_signal(signal.SIGTERM)
        assert await until_closed(idle) == RESTARTING
        released.set()
        told = await chat.receive_answer()
        assert told["response"]["response"] == answer("done")
        assert await until_closed(chat) == RESTARTING
    assert await asyncio.to_thread(leaving.process.wait, 10) == -signal.SIGTERM


async def test_who_leaves_meanwhile_is_waited_for_no_longer(
    system: System, user: User, master: Master, leaving: Child
) -> None:
    released = asyncio.Event()

    async def behave(_invocation: Invocation) -> Any:
        await released.wait()
        return answer("late")

    master.behave = behave
    async with chat_at(url_of(system), user, str(uuid4())) as chat:
        await chat.send("slow")
        await until_invoked(master)
        leaving.process.send_signal(signal.SIGTERM)
    begun = monotonic()
    assert await asyncio.to_thread(leaving.process.wait, 10) == -signal.SIGTERM
    assert monotonic() - begun < 10
    released.set()


@pytest.mark.parametrize("frame", [{"message": 5}, {"message": "x", "files": ["y"]}])
async def test_a_refused_message_keeps_no_gateway(
    frame: dict[str, Any], system: System, user: User, leaving: Child
) -> None:
    async with chat_at(url_of(system), user, str(uuid4())) as chat:
        await chat.send_frame(frame)
        assert (await chat.receive_text()).startswith("Message validation failed")
        assert (await chat.receive())["response"]["is_success"] is False
        leaving.process.send_signal(signal.SIGTERM)
        assert await until_closed(chat) == RESTARTING
