"""What a socket has sent and nobody has stored yet: bounded by the memory that it takes."""

import asyncio
from collections.abc import Callable
from sys import getsizeof
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.chats.frames import frame_limit
from gateway.chats.reader import INBOX_LIMIT, Reader

MESSAGE_BYTES = 512 * 1024


class Stuck(Reader):
    """A reader that stores nothing until it is told to."""

    def __init__(self, receive: Callable[[], Any]) -> None:
        settings = SimpleNamespace(max_message_bytes=MESSAGE_BYTES)
        websocket = SimpleNamespace(receive=receive, state={"settings": settings})
        super().__init__(cast("Any", websocket), *[cast("Any", None)] * 3)
        self.stored: list[str | bytes] = []
        self.may_store = asyncio.Event()

    async def _store_one(self, frame: str | bytes) -> None:
        await self.may_store.wait()
        self.stored.append(frame)


async def read_until_stuck(frame: str) -> tuple[Stuck, list[str], asyncio.Task[None]]:
    read = list[str]()

    async def receive() -> dict[str, Any]:
        if len(read) == 40:
            return {"type": "websocket.disconnect"}
        read.append(frame)
        await asyncio.sleep(0)
        return {"type": "websocket.receive", "text": frame}

    reader = Stuck(receive)
    reading = asyncio.create_task(reader.read())
    for _ in range(500):
        await asyncio.sleep(0)
    return reader, read, reading


@pytest.mark.parametrize(
    "text", ["x" * MESSAGE_BYTES, "\N{GRINNING FACE}" * (MESSAGE_BYTES // 4), "x"]
)
async def test_no_more_than_a_frame_s_worth_waits_to_be_stored(text: str) -> None:
    reader, read, reading = await read_until_stuck(text)
    waiting = len(reader._inbox) * getsizeof(text)
    assert waiting <= max(frame_limit(MESSAGE_BYTES), getsizeof(text))
    assert len(reader._inbox) <= INBOX_LIMIT
    assert len(read) <= len(reader._inbox) + 2  # one is being stored, one was read
    reader.may_store.set()
    await reading
    await reader.finish()
    assert reader.stored == read


async def test_a_frame_that_is_far_too_long_is_cut_before_it_waits() -> None:
    reader, _, reading = await read_until_stuck("x" * 8 * MESSAGE_BYTES)
    assert sum(map(len, reader._inbox)) <= frame_limit(MESSAGE_BYTES) + 1
    reader.may_store.set()
    await reading
    await reader.finish()
