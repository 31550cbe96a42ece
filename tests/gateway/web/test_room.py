"""Bytes that are in memory at a time: who needs more waits in turn, and nothing is lost."""

import asyncio
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import pytest

from gateway.web.room import Room, SharedRoom


async def test_who_finds_no_room_waits_in_the_order_of_asking() -> None:
    room, done = Room(10), list[str]()

    async def use(name: str, size: int) -> None:
        async with room.taken(size):
            done.append(name)

    async with room.taken(6):
        tasks = [
            asyncio.create_task(use(name, size)) for name, size in [("large", 8), ("small", 2)]
        ]
        await asyncio.sleep(0)
        assert done == []
    await asyncio.gather(*tasks)
    assert (done, room.free) == (["large", "small"], 10)


async def test_what_is_larger_than_all_of_it_takes_all() -> None:
    room = Room(10)
    async with room.taken(1000):
        assert room.free == 0
    assert room.free == 10


@pytest.mark.parametrize("is_given", [False, True])
async def test_who_waits_no_longer_keeps_nothing_and_lets_the_next_pass(*, is_given: bool) -> None:
    room = Room(10)

    async def use(size: int) -> None:
        async with room.taken(size):
            pass

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(room.taken(5))
        cancelled = asyncio.create_task(use(10))
        after = asyncio.create_task(use(3))
        await asyncio.sleep(0)
        if is_given:
            await stack.aclose()
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        await after
    assert cancelled.cancelled()
    assert room.free == 10


async def test_who_takes_his_whole_part_keeps_nobody_else_waiting() -> None:
    room, greedy, other = SharedRoom(10, 6), uuid4(), uuid4()
    async with room.taken(greedy, 6):
        waiting = asyncio.create_task(_use(room, greedy, 100))
        await asyncio.sleep(0)
        await asyncio.wait_for(_use(room, other, 4), 1)
        assert not waiting.done()
    await waiting
    assert room.free == 10
    assert not room._users


async def _use(room: SharedRoom, user_id: UUID, size: int) -> None:
    async with room.taken(user_id, size):
        await asyncio.sleep(0)
