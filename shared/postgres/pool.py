"""The pool of PostgreSQL connections: one for each process, sized by a setting."""

from functools import partial
from typing import Any, Literal, cast

import asyncpg
from databases import Database
from databases.core import Connection
from databases.interfaces import Record

from shared.codec.text import read_json, write_json
from shared.postgres.connecting import connect_first
from shared.postgres.poolers import COMMAND_SECONDS, LOCK_SECONDS, ZONE, ServerConnection
from shared.postgres.statements import DirectConnection, DirectDatabase
from shared.settings.common import CommonSettings
from shared.settings.postgres import PostgresAddress

ACQUIRE_SECONDS = 5.0
LIMITS = f"SET lock_timeout TO '{LOCK_SECONDS}s'; SET statement_timeout TO '{COMMAND_SECONDS:.0f}s'"
PLAN_ONCE = "SET plan_cache_mode TO force_generic_plan"

# What a statement raises when PostgreSQL is away, starting, going down, out of connections, handing
# over to another server, or chose it to end a deadlock: the same may succeed later.
_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InternalClientError,
    asyncpg.DeadlockDetectedError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ObjectNotInPrerequisiteStateError,
)


type Isolation = Literal["read_committed", "repeatable_read", "serializable"]


class DatabaseAwayError(Exception):
    """PostgreSQL could not be asked, or did not answer; it may have done what it was told."""


def create_database(
    settings: CommonSettings,
    standby: PostgresAddress | None = None,
    *,
    plans_once: bool = False,
) -> Database:
    """Describe the pool; it opens with `async with`. That of a standby may find nobody there.

    `plans_once` is for who sends the same statements again and again: PostgreSQL guesses ten for
    an array of keys and a tenth of all for a limit, and so would plan many of them anew each time,
    for longer than they then run. What such a statement joins is MATERIALIZED where it was grouped:
    planned for few, it would be grouped again for each of many.
    """
    return DirectDatabase(
        "postgresql:",  # `databases` reads less than half of a URL
        connect=connect_first,
        timeout=ACQUIRE_SECONDS,
        min_size=1 if standby is None else 0,
        max_size=settings.database_pool_size,
        command_timeout=COMMAND_SECONDS,
        init=partial(_begin, limits=f"{LIMITS}; {PLAN_ONCE}" if plans_once else LIMITS),
        reset=_leave_as_it_is,
        # No others: poolers keep these for each of their clients, and refuse what they don't.
        **(standby or settings.postgres).for_asyncpg(timezone=ZONE),
    )


async def _begin(connection: ServerConnection, *, limits: str = LIMITS) -> None:
    """Settle in: limits can be set in a session of one's own only."""
    await connection.find_pooler()
    if not connection.is_pooled:
        await connection.execute(limits)
    await _read_json(connection)


async def _read_json(connection: "asyncpg.Connection[Any]") -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            encoder=lambda value: write_json(value).decode(),
            decoder=read_json,
            schema="pg_catalog",
        )


async def _leave_as_it_is(_connection: "asyncpg.Connection[Any]") -> None:
    """Spare the round trip that would undo settings, cursors and locks of the session.

    No statement leaves any behind; an open transaction is rolled back nevertheless.
    """


class connect:  # noqa: N801 (used like a function)
    """Lends this task a connection; inside another `connect` of the same task, the same one.

    Statements take their time limit from the pool. Raises DatabaseAwayError, for the block too.
    """

    def __init__(self, database: Database) -> None:
        assert isinstance(database, DirectDatabase)
        self._database = database
        self._own: DirectConnection | None = None

    async def __aenter__(self) -> Connection:
        """A connection, when there is one."""
        if (lent := self._database.lent) is not None:
            return lent
        try:
            self._own = await self._database.lend(ACQUIRE_SECONDS)
        except _AWAY as error:
            raise _away(error) from error
        return self._own

    async def __aexit__(
        self, _kind: object, error: BaseException | None, _traceback: object
    ) -> None:
        """Give it back, if it was lent here and was not given back before."""
        try:
            if self._own is not None and self._own is self._database.lent:
                await self._database.take_back(self._own, error)
        except _AWAY as failure:
            raise _away(failure) from failure
        if isinstance(error, _AWAY):
            raise _away(error) from error


async def give_back(database: Database) -> None:
    """Take back what `connect` lent this task before its block ends: what follows takes long.

    Raises DatabaseAwayError.
    """
    assert isinstance(database, DirectDatabase)
    if (lent := database.lent) is not None:
        try:
            await database.take_back(lent)
        except _AWAY as error:
            raise _away(error) from error


def _away(error: BaseException) -> DatabaseAwayError:
    return DatabaseAwayError(f"PostgreSQL is away: {type(error).__name__}: {error}")


def transaction(
    connection: Connection, *, isolation: Isolation | None = None, readonly: bool = False
) -> asyncpg.transaction.Transaction:
    """A transaction on a lent connection, or a part of one that can be taken back by itself.

    Not `Connection.transaction`: where a commit or a rollback fails, that one keeps the connection
    from its pool, and its task from any other connection, for ever.
    """
    raw = cast("asyncpg.Connection[Any]", connection.raw_connection)
    return raw.transaction(isolation=isolation, readonly=readonly)


def columns(row: Record) -> dict[str, Any]:
    """The row as a dict."""
    return dict(row)
