"""Bytes that may be in memory at a time for one purpose; who needs more waits."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID


class Room:
    """So many bytes, taken in the order of asking. What is larger than all of it takes all."""

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def free(self) -> int:
        """How many bytes nobody has taken."""
        return self._free

    @property
    def is_idle(self) -> bool:
        """Whether nobody has any of them, or waits."""
        return self._free == self._size and not self._waiting

    @asynccontextmanager
    async def taken(self, size: int) -> AsyncIterator[None]:
        """Have so many of them until the block ends; wait until they are free."""
        size = min(size, self._size)
        await self._take(size)
        try:
            yield
        finally:
            self._give_back(size)

    async def _take(self, size: int) -> None:
        if not self._waiting and size <= self._free:
            self._free -= size
            return
        given = asyncio.get_running_loop().create_future()
        self._waiting.append((size, given))
        try:
            await given
        except asyncio.CancelledError:
            self._give_back(0 if given.cancelled() else size)
            raise

    def _give_back(self, size: int) -> None:
        self._free += size
        while self._waiting:
            wanted, given = self._waiting[0]
            if not given.cancelled():
                if wanted > self._free:
                    return
                self._free -= wanted
                given.set_result(None)
            self._waiting.popleft()


class SharedRoom:
    """A room of all users, of which each has a part at most: he waits for himself first."""

    def __init__(self, size: int, per_user: int) -> None:
        self._all, self._per_user = Room(size), per_user
        self._users: dict[UUID, Room] = {}

    @property
    def free(self) -> int:
        """How many bytes nobody has taken."""
        return self._all.free

    @asynccontextmanager
    async def taken(self, user_id: UUID, size: int) -> AsyncIterator[None]:
        """Have so many bytes until the block ends; wait until they are free."""
        own = self._users.setdefault(user_id, Room(self._per_user))
        try:
            async with own.taken(size), self._all.taken(min(size, self._per_user)):
                yield
        finally:
            if own.is_idle:
                self._users.pop(user_id, None)
