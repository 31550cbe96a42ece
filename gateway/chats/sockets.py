"""The open sockets of this gateway: how many a user has, and their end when it goes down."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

type Close = Callable[[], Awaitable[None]]


class TooManySocketsError(Exception):
    """The user has enough of them here."""


class GoingDownError(Exception):
    """There are to be no more of them here."""


class Sockets:
    """What closes each open socket, by its user."""

    def __init__(self, most: int) -> None:
        self._most = most  # of a user; 0 = any number
        self._open: dict[UUID, set[Close]] = {}
        self.is_leaving = False

    @contextmanager
    def opened(self, user_id: UUID, close: Close) -> Iterator[None]:
        """Count a socket as long as it is open. Raises TooManySocketsError, GoingDownError."""
        if self.is_leaving:
            raise GoingDownError
        closes = self._open.setdefault(user_id, set())
        if self._most and len(closes) >= self._most:
            raise TooManySocketsError
        closes.add(close)
        try:
            yield
        finally:
            closes.discard(close)
            if not closes:
                self._open.pop(user_id, None)

    async def leave(self, _seconds: float) -> None:
        """Close all of them, and let no more in."""
        self.is_leaving = True
        await asyncio.gather(*(close() for closes in self._open.values() for close in closes))
