"""Reads what may be long from a standby, which never knows less than the call that asks.

How far the primary has written is asked when the call is there already: whatever its caller was
told before, of any process, is written before that. Only a standby that has come so far is read.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from time import monotonic

import asyncpg
from databases import Database
from databases.core import Connection

from gateway.web.metrics import READS
from shared.postgres.pool import (
    DatabaseAwayError,
    connect,
    create_database,
    give_back,
    transaction,
)
from shared.settings.gateway import GatewaySettings
from shared.settings.postgres import read_address

logger = logging.getLogger(__name__)

BEHIND_SECONDS = 0.1  # that a read waits for the standby; longer than it is behind in health
LOOK_SECONDS = 0.005
ANSWER_SECONDS = 2.0  # in which it has answered; else the primary is read
REST_SECONDS = 1.0  # without it, after it could not be read
RESTS = 10.0  # times as long as its failure took, should that be longer
UP_SECONDS = 1.0

# Not the part that is on disk: with `synchronous_commit = off` callers are told of more.
SELECT_WRITTEN = "SELECT pg_current_wal_insert_lsn()"
# Of a server that was promoted, or is the primary itself, all is there.
SELECT_HAS = """
    SELECT NOT pg_is_in_recovery() OR pg_last_wal_replay_lsn() >= CAST(:written AS pg_lsn)
"""

_FAILED = (
    DatabaseAwayError,
    TimeoutError,
    asyncpg.SerializationError,  # what it read was cleaned away by the primary
    asyncpg.UndefinedObjectError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.InsufficientPrivilegeError,
)


class Replica:
    """The primary, and perhaps a standby to read from. Without one all is read from the first."""

    def __init__(self, primary: Database, standby: Database | None) -> None:
        self._primary = primary
        self._standby = standby
        self._rests_until = 0.0

    @property
    def has_standby(self) -> bool:
        """Whether there is another server to read from."""
        return self._standby is not None

    async def is_up(self) -> bool:
        """Whether the standby answers soon."""
        try:
            async with self._lend(UP_SECONDS) as connection:
                return bool(await connection.fetch_val("SELECT true"))
        except (DatabaseAwayError, TimeoutError):
            return False

    async def read[T](self, select: Callable[[Connection], Awaitable[T]]) -> T:
        """What `select` gives on a connection that knows all that the caller was ever told.

        It may be called twice: where the standby fails the primary does it. A connection to the
        primary that the task was lent before is given back meanwhile. Raises DatabaseAwayError.
        """
        if self._standby is not None and (began := monotonic()) >= self._rests_until:
            written = await self._ask_how_far()
            try:
                async with self._lend(ANSWER_SECONDS) as connection, _one_session(connection):
                    if await _has(connection, written):
                        result = await select(connection)
                        READS.labels("standby").inc()
                        return result
                READS.labels("behind").inc()
            except _FAILED as error:
                READS.labels("failed").inc()
                rest = max(REST_SECONDS, RESTS * (monotonic() - began))
                self._rests_until = monotonic() + rest
                logger.warning("lists are read from the primary, the standby fails: %r", error)
        async with connect(self._primary) as connection:
            return await select(connection)

    @asynccontextmanager
    async def _lend(self, seconds: float) -> AsyncIterator[Connection]:
        """A connection to the standby for so long. Raises DatabaseAwayError and TimeoutError."""
        assert self._standby is not None
        async with asyncio.timeout(seconds) as limit, connect(self._standby) as connection:
            try:
                yield connection
            except asyncio.CancelledError:
                if limit.expired():  # nor would it answer that the statement is to end
                    connection.raw_connection.terminate()
                raise

    async def _ask_how_far(self) -> int:
        async with connect(self._primary) as connection:
            written: int = await connection.fetch_val(SELECT_WRITTEN)
        await give_back(self._primary)
        return written


@asynccontextmanager
async def open_replica(settings: GatewaySettings, primary: Database) -> AsyncIterator[Replica]:
    """The primary with the standby of the settings, which need not be there yet."""
    if settings.database_read_url is None:
        yield Replica(primary, None)
        return
    address = read_address(settings.database_read_url)
    async with create_database(settings, address, plans_once=True) as standby:
        yield Replica(primary, standby)


def _one_session(connection: Connection) -> AbstractAsyncContextManager[object]:
    """What keeps to one standby: a pooler may ask another one in each transaction."""
    is_pooled = connection.raw_connection.is_pooled
    return transaction(connection, readonly=True) if is_pooled else nullcontext()


async def _has(connection: Connection, written: int) -> bool:
    """Whether the standby comes so far in time."""
    end = monotonic() + BEHIND_SECONDS
    while not await connection.fetch_val(SELECT_HAS, {"written": written}):
        if monotonic() > end:
            return False
        await asyncio.sleep(LOOK_SECONDS)
    return True
