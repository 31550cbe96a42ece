"""How fast the invocations of one user are prepared and sent: others are behind them.

The bridge, the router and the master agent take one frame after the other, and a large one holds up
each of them.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from uuid import UUID

from attrs import define, field

SMALL_BYTES = 64 * 1024  # an invocation up to this waits for none of its user's
BYTES_PER_SECOND = 2 * 1024 * 1024
BURST_BYTES = 4 * 1024 * 1024  # at once, after a pause
TURNS = 2  # of a user: invocations that are prepared at a time
USERS_LIMIT = 10_000  # who are remembered


@define
class _Share:
    left: float
    since: float
    turns: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(TURNS))


class Pacing:
    """Of this bridge, for each user."""

    def __init__(self) -> None:
        self._shares: OrderedDict[UUID, _Share] = OrderedDict()

    @asynccontextmanager
    async def turn(self, user_id: UUID) -> AsyncIterator[None]:
        """Wait until one may be prepared."""
        async with self._share_of(user_id).turns:
            yield

    async def wait(self, user_id: UUID, size: int) -> None:
        """Wait until so many bytes are within the user's share; who comes first goes first."""
        if size > SMALL_BYTES and (seconds := self._spend(user_id, size)) > 0:
            await asyncio.sleep(seconds)

    def _spend(self, user_id: UUID, size: int) -> float:
        """Take so much of it, and more than there is; the seconds until that is made up for."""
        now, share = monotonic(), self._share_of(user_id)
        share.left = min(BURST_BYTES, share.left + (now - share.since) * BYTES_PER_SECOND) - size
        share.since = now
        return -share.left / BYTES_PER_SECOND

    def _share_of(self, user_id: UUID) -> _Share:
        share = self._shares.setdefault(user_id, _Share(BURST_BYTES, monotonic()))
        self._shares.move_to_end(user_id)
        if len(self._shares) > USERS_LIMIT:
            self._shares.popitem(last=False)
        return share
