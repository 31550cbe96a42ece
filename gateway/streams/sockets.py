"""The open sockets and streams of this gateway: how many a user has, and how they end.

That is when the gateway goes down, and when what opened them has expired or was revoked.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import Enum
from typing import Protocol
from uuid import UUID

from gateway.signins.revocations import Revocations
from gateway.web.callers import Caller, Credential

LONGEST_TIMER = 366 * 24 * 3600.0  # seconds; what lasts longer outlives the process


class Over(Enum):
    """Why a socket is closed whose caller may not call any more."""

    EXPIRED = "the token has expired"
    REVOKED = "signed out"


class Opened(Protocol):
    """A socket or stream."""

    async def leave(self, seconds: float) -> None:
        """Close it within so many seconds: when the answers that it waits for have come."""

    async def close(self, why: Over) -> None:
        """Close it now; what comes over it is taken no more."""


class TooManySocketsError(Exception):
    """The user has enough of them here."""


class GoingDownError(Exception):
    """There are to be no more of them here."""


class Sockets:
    """What is open here, by its user and by what opened it."""

    def __init__(self, most: int, revocations: Revocations) -> None:
        self._most = most  # of a user; 0 = any number
        self._revocations = revocations
        self._open: dict[UUID, set[Opened]] = {}
        self._by_credential: dict[UUID, set[Opened]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self.is_leaving = False
        revocations.tell(self._revoke)

    @contextmanager
    def opened(self, caller: Caller, opened: Opened) -> Iterator[None]:
        """Count a socket as long as it is open. Raises TooManySocketsError, GoingDownError."""
        if self.is_leaving:
            raise GoingDownError
        if self._most and len(self._open.get(caller.user_id, ())) >= self._most:
            raise TooManySocketsError
        credential = caller.credential
        with ExitStack() as stack:
            stack.enter_context(_added(self._open, caller.user_id, opened))
            stack.enter_context(self._timed(credential.expires_at, opened))
            for id_ in credential.ids:
                stack.enter_context(_added(self._by_credential, id_, opened))
            if self._is_over(credential):  # since it was checked
                self._close(opened, Over.REVOKED)
            yield

    def _is_over(self, credential: Credential) -> bool:
        is_told = credential.id is not None and self._revocations.has_ended(credential.id)
        return is_told or credential.is_over()

    @contextmanager
    def _timed(self, expires_at: float, opened: Opened) -> Iterator[None]:
        seconds = expires_at - time.time()
        if seconds > LONGEST_TIMER:
            yield
            return
        loop = asyncio.get_running_loop()
        timer = loop.call_later(max(0.0, seconds), self._close, opened, Over.EXPIRED)
        try:
            yield
        finally:
            timer.cancel()

    def _revoke(self, credential: UUID) -> None:
        for opened in self._by_credential.get(credential, ()):
            self._close(opened, Over.REVOKED)

    def _close(self, opened: Opened, why: Over) -> None:
        task = asyncio.create_task(opened.close(why))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def leave(self, seconds: float) -> None:
        """Let no more in, and close all within so many seconds, each when it has its answers."""
        self.is_leaving = True
        leaving = (each.leave(seconds) for all_ in self._open.values() for each in all_)
        await asyncio.gather(*leaving)


@contextmanager
def _added(sets: dict[UUID, set[Opened]], key: UUID, opened: Opened) -> Iterator[None]:
    held = sets.setdefault(key, set())
    held.add(opened)
    try:
        yield
    finally:
        held.discard(opened)
        if not held:
            sets.pop(key, None)
