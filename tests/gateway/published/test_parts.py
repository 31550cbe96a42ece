"""Who waits for an end alone costs nobody the parts before it."""

from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from shared.notifications.formats import ASKED_PARTS
from tests.a2a import VERSION, post_rpc, publish_assistant
from tests.master import Master
from tests.mcpserver import post, request
from tests.system import System
from tests.users import Json, User

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
    ("ask", "asks_for_parts"),
    [(send_message, False), (call_tool, False), (stream_message, True)],
)
async def test_parts_are_asked_for_by_who_is_told_them(
    system: System, user: User, master: Master, ask: Ask, *, asks_for_parts: bool
) -> None:
    async with Redis.from_url(system.environment["REDIS_URL"]) as redis, redis.pubsub() as heard:
        await heard.subscribe(ASKED_PARTS)
        await ask(user)
        await redis.publish(ASKED_PARTS, "end")
        said = [await heard.get_message(timeout=5)]
        while said[-1] is None or said[-1]["data"] != b"end":
            said.append(await heard.get_message(timeout=5))
    asked = [each for each in said if each and user.id.encode() in bytes(each["data"])]
    assert bool(asked) == asks_for_parts
