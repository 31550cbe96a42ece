"""Removes log entries and ended requests when they are old, in one bridge at a time.

Messages and answers stay in the history until their chat is deleted; a socket that asks for
frames that were removed is told of a gap.
"""

import asyncio
import logging
from datetime import timedelta

from databases import Database
from databases.core import Connection

from shared.postgres.locks import RETENTION_LOCK
from shared.postgres.pool import DatabaseAwayError, connect, transaction

logger = logging.getLogger(__name__)

ROUND_SECONDS = 600.0
BATCH = 1_000  # rows; each batch is a short transaction


async def remove_what_is_old(database: Database, days: int) -> None:
    """Go round for ever; 0 days keep everything."""
    while True:
        if days:
            await _go_round(database, timedelta(days=days))
        await asyncio.sleep(ROUND_SECONDS)


async def _go_round(database: Database, age: timedelta) -> None:
    try:
        removed = await remove_older(database, age)
    except DatabaseAwayError as error:
        logger.warning("what is old is removed later: %s", error)
        return
    if removed:
        logger.info("%d log entries and requests were older than %s", removed, age)


async def remove_older(database: Database, age: timedelta) -> int:
    """Remove all rows of that age, unless another bridge is at it; how many were removed."""
    total = 0
    for delete in (delete_old_logs, delete_old_requests):
        while True:
            async with connect(database) as connection, transaction(connection):
                if not await select_has_lock(connection):
                    return total
                count = await delete(connection, age, BATCH)
            total += count
            if count < BATCH:
                break
    return total


async def select_has_lock(connection: Connection) -> bool:
    """Whether this transaction is the one that removes what is old."""
    sql = "SELECT pg_try_advisory_xact_lock(:lock)"
    return bool(await connection.fetch_val(sql, {"lock": RETENTION_LOCK}))


async def delete_old_logs(connection: Connection, age: timedelta, limit: int) -> int:
    """Delete some log entries of this age; how many."""
    sql = """
        WITH old AS (
            SELECT id FROM logs
            WHERE created_at < timezone('utc', now()) - CAST(:age AS interval) LIMIT :limit
        ), deleted AS (
            DELETE FROM logs WHERE id IN (SELECT id FROM old) RETURNING id
        )
        SELECT count(*) FROM deleted
    """
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
