"""How many calls are worked on at a time: of each user, so that the others have room, and of each
operation, so that one which waits for a lock leaves connections to the others.

Those that wait for a stranger's server hold no connection, and are counted apart."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from attrs import define

from gateway.web.errors import ApiError, TooManyRequestsError, UnavailableError
from gateway.web.refusals import TOO_MANY_CALLS

WAIT_SECONDS = 5.0
WAITING_LIMIT = 100  # calls of a user that wait for a turn
LOOKUPS_PER_USER = 4

TOO_MANY = "Too many of your calls are being worked on, please try again in a second"
BUSY = "Too many calls like this one are being worked on, please try again in a second"


@define
class _User:
    room: asyncio.Semaphore
    calls: int = 0


class Turns:
    """Of this gateway."""

    def __init__(self, calls_per_user: int, pool_size: int) -> None:
        self._calls = Users(calls_per_user)
        self.lookups = Users(LOOKUPS_PER_USER)
        share = max(1, pool_size // 2)
        self._operations = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(share))

    def must_wait(self, user_id: UUID, operation: str) -> bool:
        """Whether there is no turn at once: meanwhile others can have the connection."""
        return self._calls.must_wait(user_id) or self._operations[operation].locked()

    @asynccontextmanager
    async def turn(self, user_id: UUID, operation: str) -> AsyncIterator[None]:
        """Wait, but not long. Raises TooManyRequestsError, UnavailableError."""
        async with self._calls.turn(user_id), _room(self._operations[operation], _busy):
            yield


class Users:
    """So many at a time of each; 0 = any number."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._users: dict[UUID, _User] = {}

    def must_wait(self, user_id: UUID) -> bool:
        """Whether this one has no turn at once."""
        user = self._users.get(user_id)
        return user is not None and user.room.locked()

    @asynccontextmanager
    async def turn(self, user_id: UUID) -> AsyncIterator[None]:
        """Wait, but not long. Raises TooManyRequestsError."""
        if not self._most:
            yield
            return
        user = self._users.setdefault(user_id, _User(asyncio.Semaphore(self._most)))
        if user.calls >= self._most + WAITING_LIMIT:
            raise _too_many()
        user.calls += 1
        try:
            async with _room(user.room, _too_many):
                yield
        finally:
            user.calls -= 1
            if not user.calls:
                del self._users[user_id]


def _too_many() -> ApiError:
    return TooManyRequestsError(TOO_MANY, 1, TOO_MANY_CALLS)


def _busy() -> ApiError:
    return UnavailableError(BUSY)


@asynccontextmanager
async def _room(room: asyncio.Semaphore, refuse: Callable[[], ApiError]) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await room.acquire()
    except TimeoutError:
        raise refuse() from None
    try:
        yield
    finally:
        room.release()
