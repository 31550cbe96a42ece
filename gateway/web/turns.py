"""How many calls are worked on at a time: of each user, so that the others have room, and of each
operation, so that one which waits for a lock leaves connections to the others; and how many bytes
of large answers are in memory, of which one is written at a time.

Those that wait for a stranger's server hold no connection, and are counted apart.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from uuid import UUID

from attrs import define

from gateway.web.errors import ApiError, TooManyRequestsError, UnavailableError
from gateway.web.refusals import TOO_MANY_CALLS
from gateway.web.room import Room, SharedRoom

WAIT_SECONDS = 5.0
WAITING_LIMIT = 100  # calls of a user that wait for a turn
LOOKUPS_PER_USER = 4
ASKED_PER_USER = 4  # tools and A2A agents that a user asks himself
LARGE_MOST_BYTES = 64 * 1024 * 1024  # of large answers that are made or being taken
LARGE_PER_USER = 2  # such answers
BODIES_MOST_BYTES = 64 * 1024 * 1024  # of large bodies that come in, or are looked at
BODIES_BYTES_PER_USER = 16 * 1024 * 1024
IMPORTS_MOST = 2  # archives of users at a time, each in a temporary file

TOO_MANY = "Too many of your calls are being worked on, please try again in a second"
BUSY = "Too many calls like this one are being worked on, please try again in a second"


@define
class _User:
    room: asyncio.Semaphore
    calls: int = 0


class _Turn:
    """One call of a user's, who has so many at a time."""

    def __init__(self, users: dict[UUID, _User], user_id: UUID, most: int) -> None:
        self._users, self._user_id, self._most = users, user_id, most

    async def __aenter__(self) -> None:
        user = self._users.get(self._user_id)
        if user is None:
            user = self._users[self._user_id] = _User(asyncio.Semaphore(self._most))
        if user.calls >= self._most + WAITING_LIMIT:
            raise _too_many()
        user.calls += 1
        self._room = _room(user.room, _too_many)
        try:
            await self._room.__aenter__()
        except BaseException:
            self._leave(user)
            raise

    async def __aexit__(self, *_: object) -> None:
        await self._room.__aexit__()
        self._leave(self._users[self._user_id])

    def _leave(self, user: _User) -> None:
        user.calls -= 1
        if not user.calls:
            del self._users[self._user_id]


class _Both:
    """One within the other: each call has some, and a generator would take three times as long."""

    def __init__(
        self, outer: AbstractAsyncContextManager[None], inner: AbstractAsyncContextManager[None]
    ) -> None:
        self._outer, self._inner = outer, inner

    async def __aenter__(self) -> None:
        await self._outer.__aenter__()
        try:
            await self._inner.__aenter__()
        except BaseException:
            await self._outer.__aexit__(None, None, None)
            raise

    async def __aexit__(self, *_: object) -> None:
        await self._inner.__aexit__(None, None, None)
        await self._outer.__aexit__(None, None, None)


class Users:
    """So many at a time of each; 0 = any number."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._users: dict[UUID, _User] = {}

    def must_wait(self, user_id: UUID) -> bool:
        """Whether this one has no turn at once."""
        user = self._users.get(user_id)
        return user is not None and user.room.locked()

    def turn(self, user_id: UUID) -> AbstractAsyncContextManager[None]:
        """Wait, but not long. Raises TooManyRequestsError."""
        return _Turn(self._users, user_id, self._most) if self._most else nullcontext()


class Turns:
    """Of this gateway."""

    def __init__(self, calls_per_user: int, pool_size: int) -> None:
        self.calls = Users(calls_per_user)
        self.lookups = Users(LOOKUPS_PER_USER)
        self.asked = Users(ASKED_PER_USER)
        self._large_of = Users(LARGE_PER_USER)
        self._large = Room(LARGE_MOST_BYTES)
        self._bodies = SharedRoom(BODIES_MOST_BYTES, BODIES_BYTES_PER_USER)
        self._connections = Users(max(1, pool_size // 4))
        self.writing = asyncio.Lock()
        self._imports = asyncio.Semaphore(IMPORTS_MOST)
        share = max(1, pool_size // 2)
        self._operations = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(share))

    def must_wait(self, user_id: UUID, operation: str) -> bool:
        """Whether there is no turn at once: meanwhile others can have the connection."""
        return (
            self.calls.must_wait(user_id)
            or self._connections.must_wait(user_id)
            or self._operations[operation].locked()
        )

    def with_connection(self, user_id: UUID, operation: str) -> AbstractAsyncContextManager[None]:
        """Wait, but not long: until a connection is used no more.

        A user has a quarter of them at most, so that whoever wants the same list is not behind all
        of his calls. Raises TooManyRequestsError, UnavailableError.
        """
        return _Both(self._connections.turn(user_id), _room(self._operations[operation], _busy))

    def turn(self, user_id: UUID, operation: str) -> AbstractAsyncContextManager[None]:
        """Both. Raises TooManyRequestsError, UnavailableError."""
        return _Both(self.calls.turn(user_id), self.with_connection(user_id, operation))

    @asynccontextmanager
    async def with_large_answer(self, user_id: UUID, size: int) -> AsyncIterator[None]:
        """Within a turn of the user: have room for an answer of so many bytes.

        Raises TooManyRequestsError, UnavailableError.
        """
        async with self._large_of.turn(user_id), _taken(self._large.taken(size)):
            yield

    @asynccontextmanager
    async def with_import(self) -> AsyncIterator[None]:
        """Wait, but not long, for room on the disk. Raises UnavailableError."""
        async with _room(self._imports, _busy):
            yield

    def with_large_body(self, user_id: UUID, size: int) -> AbstractAsyncContextManager[None]:
        """Have room for a body of so many bytes. Raises UnavailableError."""
        return _taken(self._bodies.taken(user_id, size))


def _too_many() -> ApiError:
    return TooManyRequestsError(TOO_MANY, 1, TOO_MANY_CALLS)


def _busy() -> ApiError:
    return UnavailableError(BUSY)


@asynccontextmanager
async def _taken(room: AbstractAsyncContextManager[None]) -> AsyncIterator[None]:
    """Wait for bytes, but not long. Raises UnavailableError."""
    async with AsyncExitStack() as held:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await held.enter_async_context(room)
        except TimeoutError:
            raise _busy() from None
        yield


class _room:  # noqa: N801 (used like a function)
    """One of so many; who finds none waits, but not long. Raises what `refuse` makes."""

    def __init__(self, room: asyncio.Semaphore, refuse: Callable[[], ApiError]) -> None:
        self._room, self._refuse = room, refuse

    async def __aenter__(self) -> None:
        if not self._room.locked():  # as nearly always: a time limit costs more than all the rest
            await self._room.acquire()
            return
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._room.acquire()
        except TimeoutError:
            raise self._refuse() from None

    async def __aexit__(self, *_: object) -> None:
        self._room.release()
