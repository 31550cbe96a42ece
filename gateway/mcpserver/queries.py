"""Calls of tools in PostgreSQL; only the caller's own."""

from uuid import UUID

from attrs import frozen
from databases.core import Connection

from shared.postgres.pool import columns


@frozen
class Called:
    """A request: the seq of its answer, if that is there, and whether the master agent is asked."""

    answer_seq: int | None
    is_to_master: bool


async def select_call(
    connection: Connection, owner: UUID, session_id: UUID, request_id: UUID
) -> Called | None:
    """One of the owner's requests."""
    sql = """
        SELECT seq AS answer_seq, asked_id IS NULL AS is_to_master FROM requests
        WHERE creator_id = :owner AND session_id = :session_id AND id = :request_id
    """
    values = {"owner": owner, "session_id": session_id, "request_id": request_id}
    row = await connection.fetch_one(sql, values)
    return Called(**columns(row)) if row else None


async def select_called(connection: Connection, owner: UUID, message_id: UUID) -> list[UUID]:
    """Those of the owner's requests that go on and are called so by their client."""
    sql = """
        SELECT id FROM requests
        WHERE creator_id = :owner AND message_id = :message_id AND status IN ('queued', 'running')
    """
    rows = await connection.fetch_all(sql, {"owner": owner, "message_id": message_id})
    return [row["id"] for row in rows]
