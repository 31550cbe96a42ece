"""Services of different versions side by side: one of them is always upgraded first."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from redis.asyncio import Redis

from shared.notifications.channels import (
    CANCELLED_REQUESTS,
    REVOKED_TOKENS,
    WAITING_REQUESTS,
    bridges_channel,
    session_channel,
)
from tests.agent_bridge.stored import execute
from tests.master import Invocation, Master, answer
from tests.system import System
from tests.users import Chat, User

TABLES = ("requests", "chatconversations", "chatmessages", "logs", "agents", "router_session")


@contextmanager
def later_columns(system: System) -> Iterator[None]:
    """The tables as a later version may have them."""
    for table in TABLES:
        execute(system, f"ALTER TABLE {table} ADD COLUMN later text DEFAULT 'later'")
    try:
        yield
    finally:
        for table in TABLES:
            execute(system, f"ALTER TABLE {table} DROP COLUMN later")


GARBAGE = (
    b"",
    b"\xff",
    b"null",
    b"{}",
    b"frames/2 x",
    b"frames/2 1\n\xff\xff",
    b"heartbeat/1 x stays",
)


async def test_what_strangers_say_in_redis_is_skipped(
    system: System, user: User, master: Master
) -> None:
    async def behave(invocation: Invocation) -> object:
        await invocation.log("one")
        for channel in channels:
            for message in GARBAGE:
                assert await redis.publish(channel, message), channel
        await invocation.log("two")
        return answer("as ever")

    async with Redis.from_url(system.settings.redis_url) as redis, user.chat() as chat:
        channels = (
            session_channel(UUID(chat.session_id), UUID(user.id)),
            bridges_channel(system.settings),
            WAITING_REQUESTS,
            CANCELLED_REQUESTS,
            REVOKED_TOKENS,
        )
        master.behave = behave
        for _ in range(3):
            await _ask(chat)


@pytest.mark.parametrize("are_rows_later_too", [False, True])
async def test_what_a_later_version_says_costs_no_frame(
    system: System, user: User, master: Master, *, are_rows_later_too: bool
) -> None:
    async def behave(invocation: Invocation) -> object:
        await invocation.log("one")
        for channel, name in channels.items():
            assert await redis.publish(channel, f"{name}/99 {{}}".encode()), channel
        await invocation.log("two")
        return answer("as ever")

    async with Redis.from_url(system.settings.redis_url) as redis, user.chat() as chat:
        channels = {
            session_channel(UUID(chat.session_id), UUID(user.id)): "frames",
            bridges_channel(system.settings): "heartbeat",
            WAITING_REQUESTS: "waiting",
            CANCELLED_REQUESTS: "cancelled",
            REVOKED_TOKENS: "revoked",
        }
        master.behave = behave
        for _ in range(3):
            if are_rows_later_too:
                with later_columns(system):
                    await _ask(chat)
            else:
                await _ask(chat)


async def _ask(chat: Chat) -> None:
    """Ask, and hear both log entries and then the answer, each once."""
    await chat.send("hello")
    frames = [await chat.receive() for _ in range(3)]
    assert [frame["log"]["message"] for frame in frames[:2]] == ["one", "two"]
    assert frames[2]["response"]["response"] == answer("as ever")
