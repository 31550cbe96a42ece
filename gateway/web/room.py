"""Bytes that may be in memory at a time for one purpose; who needs more waits."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Room:
    """So many bytes, taken in the order of asking. What is larger than all of it takes all."""

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def free(self) -> int:
        """How many bytes nobody has taken."""
        return self._free

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
