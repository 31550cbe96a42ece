"""The open sockets of this gateway: how many a user has, and their end when it goes down."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

type Leave = Callable[[float], Awaitable[None]]
"""Closes a socket, within so many seconds: when the answers that it waits for have come."""


class TooManySocketsError(Exception):
    """The user has enough of them here."""


class GoingDownError(Exception):
    """There are to be no more of them here."""


class Sockets:
    """What each open socket does when the gateway goes down, by its user."""

    def __init__(self, most: int) -> None:
        self._most = most  # of a user; 0 = any number
        self._open: dict[UUID, set[Leave]] = {}
        self.is_leaving = False

    @contextmanager
    def opened(self, user_id: UUID, leave: Leave) -> Iterator[None]:
        """Count a socket as long as it is open. Raises TooManySocketsError, GoingDownError."""
        if self.is_leaving:
            raise GoingDownError
        leaves = self._open.setdefault(user_id, set())
        if self._most and len(leaves) >= self._most:
            raise TooManySocketsError
        leaves.add(leave)
        try:
            yield
        finally:
            leaves.discard(leave)
            if not leaves:
                self._open.pop(user_id, None)

    async def leave(self, seconds: float) -> None:
        """Let no more in, and close all within so many seconds, each when it has its answers."""
        self.is_leaving = True
        leaving = (leave(seconds) for leaves in self._open.values() for leave in leaves)
        await asyncio.gather(*leaving)
