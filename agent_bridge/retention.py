"""Removes log entries and ended requests when they are old, in one bridge at a time.

Log entries are in partitions by their time: new ones are made ahead, old ones dropped. Messages and
answers stay in the history until their chat is deleted; a socket that asks for frames that were
removed is told of a gap.
"""

import asyncio
import logging
from datetime import timedelta

import asyncpg
from databases import Database
from databases.core import Connection

from shared.postgres.locks import RETENTION_LOCK
from shared.postgres.pool import DatabaseAwayError, connect, transaction

logger = logging.getLogger(__name__)

ROUND_SECONDS = 600.0
BATCH = 1_000  # rows; each batch is a short transaction
PARTITIONS = 8  # that hold what is kept, about
ENDLESS_DAYS = 90  # of a partition where all is kept


async def remove_what_is_old(database: Database, days: int) -> None:
    """Go round for ever, and make room for what is to come; 0 days keep everything."""
    while True:
        if days:
            await _go_round(database, timedelta(days=days))
        await asyncio.sleep(ROUND_SECONDS)
        await make_partitions(database, days)


async def make_partitions(database: Database, days: int) -> None:
    """Make the partitions that are missing for the log entries of the next seven days.

    Entries are kept for so many days; 0: for ever. What can't be done now the next round does:
    until then they go where those of odd times are.
    """
    try:
        async with connect(database) as connection:
            while name := await make_partition(connection, width_of(days)):
                logger.info("made %s for log entries to come", name)
    except (DatabaseAwayError, asyncpg.PostgresError) as error:  # a table has that name, say
        logger.warning("partitions for log entries are made later: %s", error)


def width_of(days: int) -> int:
    """The days of a partition: few enough that entries stay an eighth longer at most, or a day.

    And enough that there are about a dozen of them, as each statement looks into all.
    """
    return max(1, days // PARTITIONS) if days else ENDLESS_DAYS


async def _go_round(database: Database, age: timedelta) -> None:
    try:
        removed = await remove_older(database, age)
        dropped = await drop_older(database, age)
    except DatabaseAwayError as error:
        logger.warning("what is old is removed later: %s", error)
        return
    if removed:
        logger.info("%d log entries and requests were older than %s", removed, age)
    if dropped:
        logger.info("all log entries of %s were older than %s", ", ".join(dropped), age)


async def remove_older(database: Database, age: timedelta) -> int:
    """Remove rows of that age, unless another bridge is at it; how many were removed."""
    total = 0
    for delete in (delete_old_logs, delete_old_requests, delete_old_batches):
        while True:
            async with connect(database) as connection, transaction(connection):
                if not await select_has_lock(connection):
                    return total
                count = await delete(connection, age, BATCH)
            total += count
            if count < BATCH:
                break
    return total


async def drop_older(database: Database, age: timedelta) -> list[str]:
    """Drop partitions of which all is of that age, unless another bridge is at it; their names."""
    dropped: list[str] = []
    while True:
        async with connect(database) as connection, transaction(connection):
            name = await select_has_lock(connection) and await drop_partition(connection, age)
        if not name:
            return dropped
        dropped.append(name)


async def select_has_lock(connection: Connection) -> bool:
    """Whether this transaction is the one that removes what is old."""
    sql = "SELECT pg_try_advisory_xact_lock(:lock)"
    return bool(await connection.fetch_val(sql, {"lock": RETENTION_LOCK}))


async def make_partition(connection: Connection, days: int) -> str | None:
    """Make a partition for log entries of so many days, the next ones; None: there are enough."""
    name = await connection.fetch_val("SELECT make_log_partition(:days)", {"days": days})
    return None if name is None else str(name)


async def drop_partition(connection: Connection, age: timedelta) -> str | None:
    """Drop the oldest partition if all its log entries are of this age; None: it stays."""
    name = await connection.fetch_val("SELECT drop_log_partition(:age)", {"age": age})
    return None if name is None else str(name)


async def delete_old_logs(connection: Connection, age: timedelta, limit: int) -> int:
    """Delete some log entries of this age; how many.

    Only from where no time says when all are that old: in other partitions they wait for it.
    """
    sql = "SELECT delete_old_logs(:age, :limit)"
    return int(await connection.fetch_val(sql, {"age": age, "limit": limit}))


async def delete_old_requests(connection: Connection, age: timedelta, limit: int) -> int:
    """Delete some requests that ended this long ago; how many."""
    sql = """
        WITH old AS (
            SELECT id FROM requests
            WHERE created_at < now() - CAST(:age AS interval)
              AND ended_at < now() - CAST(:age AS interval) LIMIT :limit
        ), deleted AS (
            DELETE FROM requests WHERE id IN (SELECT id FROM old) RETURNING id
        )
        SELECT count(*) FROM deleted
    """
    return int(await connection.fetch_val(sql, {"age": age, "limit": limit}))


async def delete_old_batches(connection: Connection, age: timedelta, limit: int) -> int:
    """Delete some notes of bridges that have stored nothing for this long; how many."""
    sql = """
        WITH old AS (
            SELECT bridge FROM log_batches
            WHERE stored_at < now() - CAST(:age AS interval) LIMIT :limit
        ), deleted AS (
            DELETE FROM log_batches WHERE bridge IN (SELECT bridge FROM old) RETURNING bridge
        )
        SELECT count(*) FROM deleted
    """
    return int(await connection.fetch_val(sql, {"age": age, "limit": limit}))
