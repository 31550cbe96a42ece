"""Objects that no row of `files` stands for. A trigger notes those of files that are deleted."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from databases.core import Connection

from shared.postgres.pool import columns


async def insert_upload(connection: Connection, internal_name: str) -> None:
    """Note an object that is about to come."""
    sql = "INSERT INTO stray_objects (internal_name, is_upload) VALUES (:internal_name, true)"
    await connection.execute(sql, {"internal_name": internal_name})


async def delete_strays(connection: Connection, internal_names: Sequence[str]) -> None:
    """Forget objects that are gone."""
    sql = "DELETE FROM stray_objects WHERE internal_name = ANY(CAST(:internal_names AS text[]))"
    await connection.execute(sql, {"internal_names": internal_names})


async def claim_strays(connection: Connection, age: timedelta, limit: int) -> list[str]:
    """The names of some that are noted for so long; none becomes a file any more."""
    sql = """
        WITH old AS (
            SELECT internal_name FROM stray_objects
            WHERE since < now() - CAST(:age AS interval)
            ORDER BY since LIMIT :limit FOR UPDATE SKIP LOCKED
        )
        UPDATE stray_objects SET is_upload = false FROM old
        WHERE stray_objects.internal_name = old.internal_name
        RETURNING stray_objects.internal_name
    """
    rows = await connection.fetch_all(sql, {"age": age, "limit": limit})
    return [columns(row)["internal_name"] for row in rows]


async def select_internal_names(connection: Connection, internal_ids: Sequence[UUID]) -> set[str]:
    """The names of the objects that files with these ids have."""
    sql = "SELECT internal_name FROM files WHERE internal_id = ANY(CAST(:internal_ids AS uuid[]))"
    rows = await connection.fetch_all(sql, {"internal_ids": internal_ids})
    return {columns(row)["internal_name"] for row in rows}
