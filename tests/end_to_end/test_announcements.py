"""Which bridges are told that a request waits, with real ones."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from shared.notifications.channels import WAITING_REQUESTS
from shared.notifications.formats import decode_waiting, encode_waiting
from tests.agent_bridge.actors import abandoned, wait_for_ever
from tests.agent_bridge.stored import select_requests
from tests.master import Master, answer, run_master
from tests.system import System
from tests.users import Chat, User, eventually, register_user

EMPTY = encode_waiting(None)


@pytest.fixture
async def user(module_system: System) -> AsyncIterator[User]:
    """Somebody at a gateway of his own: it knows only the bridges that are there."""
    module_system.start_gateway()
    async with register_user(module_system.gateways[-1]) as user:
        await user.create_config()
        yield user


@pytest.fixture
async def master(module_system: System) -> AsyncIterator[Master]:
    async with run_master(module_system.router_url) as master:
        with abandoned(master):
            yield master


@contextmanager
def running(system: System, count: int, **overrides: str) -> Iterator[None]:
    bridges = [system.start_bridge(**overrides) for _ in range(count)]
    try:
        yield
    finally:
        for bridge in bridges:
            bridge.kill()


class Announcements:
    """What is told of waiting requests, on any channel."""

    def __init__(self, pubsub: Any) -> None:
        self._pubsub = pubsub
        self.heard: list[tuple[str, bytes]] = []

    async def listen(self) -> None:
        await self._pubsub.psubscribe(f"{WAITING_REQUESTS}*")
        async for message in self._pubsub.listen():
            if message["type"] == "pmessage":
                self.heard.append((message["channel"].decode(), message["data"]))


@pytest.fixture
async def announcements(module_system: System) -> AsyncIterator[Announcements]:
    url = module_system.environment["REDIS_URL"]
    async with Redis.from_url(url) as redis, redis.pubsub() as pubsub:
        announcements = Announcements(pubsub)
        listening = asyncio.create_task(announcements.listen())
        yield announcements
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def send_until_one_is_told(chat: Chat, announcements: Announcements) -> None:
    """Ask until the gateway knows who is there."""

    async def is_one_told() -> bool:
        announcements.heard.clear()
        await chat.send("anybody there?")
        await chat.receive_answer()
        return [channel for channel, _ in announcements.heard if channel != WAITING_REQUESTS] != []

    await eventually(is_one_told, "one bridge is told")


@pytest.mark.usefixtures("master")
async def test_one_bridge_of_two_is_told_and_answers(
    module_system: System, user: User, announcements: Announcements
) -> None:
    with running(module_system, 2):
        async with user.chat() as chat:
            await send_until_one_is_told(chat, announcements)
            announcements.heard.clear()
            for number in range(5):
                await chat.send(f"question {number}")
                reply = await chat.receive_answer()
                assert reply["response"]["response"] == answer(f"echo: question {number}")
            ids = {str(row["id"]) for row in select_requests(module_system, chat.session_id)}
    assert len(announcements.heard) == 5, "each once"
    assert len({channel for channel, _ in announcements.heard}) == 1, "to the same one"
    assert {str(decode_waiting(message)) for _, message in announcements.heard} <= ids


async def test_a_bridge_without_room_passes_it_on_to_all(
    module_system: System, user: User, master: Master, announcements: Announcements
) -> None:
    with running(module_system, 1, ROUTER_LANES="1"):
        async with AsyncExitStack() as stack:
            chats = [await stack.enter_async_context(user.chat()) for _ in range(2)]
            await send_until_one_is_told(chats[0], announcements)
            master.behave = wait_for_ever
            announcements.heard.clear()
            for chat in chats:
                await chat.send("never answered")

            async def is_passed_on() -> bool:
                return (WAITING_REQUESTS, EMPTY) in announcements.heard

            await eventually(is_passed_on, "the others are told")
    assert [message for _, message in announcements.heard].count(EMPTY) <= 2, "and not for ever"
