"""Who waits for an end alone costs nobody the parts before it."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from redis.asyncio import Redis

from shared.notifications.channels import parts_channel, session_channel
from tests.a2a import VERSION, post_rpc, publish_assistant
from tests.master import Master
from tests.mcpserver import post, request
from tests.system import System
from tests.users import Json, User

NOBODY = UUID(int=0)

type Ask = Callable[[User], Awaitable[None]]

MESSAGE: Json = {"message": {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "hello"}]}}


async def send_message(user: User) -> None:
    url = await publish_assistant(user)
    await post_rpc(user, url, "SendMessage", MESSAGE)


async def stream_message(user: User) -> None:
    url = await publish_assistant(user)
    body = request("SendStreamingMessage", **MESSAGE)
    assert "COMPLETED" in (await user.http.post(url, json=body, headers=VERSION)).text


async def call_tool(user: User) -> None:
    call = request("tools/call", name="ask", arguments={"message": "hello"})
    assert "result" in (await post(user, call)).text


@pytest.mark.parametrize(
    ("ask", "listens"),
    [(send_message, False), (call_tool, False), (stream_message, True)],
)
async def test_parts_are_listened_to_by_who_is_told_them(
    system: System, user: User, master: Master, ask: Ask, *, listens: bool
) -> None:
    parts, frames = (channel(NOBODY, UUID(user.id)) for channel in (parts_channel, session_channel))
    async with Redis.from_url(system.environment["REDIS_URL"]) as redis, redis.monitor() as said:
        await ask(user)
        await redis.echo("end")
        commands = [(await said.next_command())["command"]]
        while commands[-1] != "ECHO end":
            commands.append((await said.next_command())["command"])
    heard = " ".join(each for each in commands if each.startswith("SUBSCRIBE"))
    assert frames.removesuffix(str(NOBODY)) in heard
    assert (parts.removesuffix(str(NOBODY)) in heard) == listens
