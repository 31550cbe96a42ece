"""The statements about rows that are old."""

from datetime import timedelta

from databases.core import Connection

from shared.postgres.locks import RETENTION_LOCK


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
