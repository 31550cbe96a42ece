"""The open sockets and streams of this gateway: how many a user has, and how they end.

That is when the gateway goes down, and when what opened them has expired or was revoked.
"""

import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from enum import Enum
from itertools import batched
from typing import Any, Protocol
from uuid import UUID

from attrs import frozen

from gateway.signins.revocations import Revocations
from gateway.web.callers import Caller, Credential

PORTION = 100  # sockets that a gateway leaves in one turn of its loop


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
        self._expiring: dict[int, set[Opened]] = {}  # by the second of the epoch
        self._closing: set[asyncio.Task[None]] = set()
        self.is_leaving = False
        revocations.tell(self._revoke)

    def opened(self, caller: Caller, opened: Opened) -> AbstractContextManager[None]:
        """Count a socket as long as the block goes on.

        It raises TooManySocketsError, GoingDownError.
        """
        return _Open(self, caller, opened)

    def add(self, caller: Caller, opened: Opened) -> None:
        """Count it. Raises TooManySocketsError, GoingDownError."""
        if self.is_leaving:
            raise GoingDownError
        if self._most and len(self._open.get(caller.user_id, ())) >= self._most:
            raise TooManySocketsError
        credential = caller.credential
        for sets, key in self._places(caller):
            sets.setdefault(key, set()).add(opened)
        if self._is_over(credential):  # since it was checked
            self._close(opened, Over.REVOKED)

    def remove(self, caller: Caller, opened: Opened) -> None:
        """Count it no longer."""
        for sets, key in self._places(caller):
            sets[key].discard(opened)
            if not sets[key]:
                del sets[key]

    def _places(self, caller: Caller) -> Iterator[tuple[dict[Any, set[Opened]], object]]:
        """The sets that it belongs to."""
        credential = caller.credential
        yield self._open, caller.user_id
        if credential.expires_at < math.inf:
            yield self._expiring, math.ceil(credential.expires_at)
        for id_ in credential.ids:
            yield self._by_credential, id_

    def _is_over(self, credential: Credential) -> bool:
        is_told = credential.id is not None and self._revocations.has_ended(credential.id)
        return is_told or credential.is_over()

    async def run(self) -> None:
        """Close for ever what expires: each second what was opened by what that second ends."""
        while True:
            await asyncio.sleep(1 - time.time() % 1)
            self._expire(int(time.time()))

    def _expire(self, now: int) -> None:
        for second in [each for each in self._expiring if each <= now]:
            for opened in self._expiring[second]:
                self._close(opened, Over.EXPIRED)

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
        leaving = []
        for some in batched([each for all_ in self._open.values() for each in all_], PORTION):
            leaving += [asyncio.create_task(each.leave(seconds)) for each in some]
            await asyncio.sleep(0)
        await asyncio.gather(*leaving)


@frozen
class _Open(AbstractContextManager[None]):
    """What each socket has one of: generators would take ten times as much."""

    _sockets: Sockets
    _caller: Caller
    _opened: Opened

    def __enter__(self) -> None:
        self._sockets.add(self._caller, self._opened)

    def __exit__(self, *_: object) -> None:
        self._sockets.remove(self._caller, self._opened)
