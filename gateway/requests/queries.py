"""Requests in PostgreSQL; only the asker's own."""

from uuid import UUID

from databases.core import Connection

from gateway.requests.schemas import ChatRequest
from gateway.web.paging import Page, Slice, select_page
from shared.domain.endings import OpenRequest
from shared.postgres.pool import columns
from shared.postgres.rows import builder


async def select_requests(
    connection: Connection, owner: UUID, session_id: UUID, part: Slice
) -> Page[ChatRequest]:
    """The requests of the owner's session, newest first."""
    sql = """
        SELECT id AS request_id, session_id, message_id, status,
               timezone('utc', created_at) AS created_at, timezone('utc', sent_at) AS sent_at,
               timezone('utc', ended_at) AS ended_at, timezone('utc', deadline) AS deadline,
               execution_time, error, coalesce(usage, CAST('[]' AS jsonb)) AS usage,
               coalesce(octet_length(error), 0) + coalesce(pg_column_size(usage), 0) AS bytes
        FROM requests WHERE creator_id = :owner AND session_id = :session_id
        ORDER BY position DESC LIMIT :limit OFFSET :offset
    """
    values = {"owner": owner, "session_id": session_id}
    return await select_page(connection, sql, values, part, builder(ChatRequest))


async def select_request(
    connection: Connection, owner: UUID, request_id: UUID
) -> ChatRequest | None:
    """The owner's request."""
    sql = """
        SELECT id AS request_id, session_id, message_id, status,
               timezone('utc', created_at) AS created_at, timezone('utc', sent_at) AS sent_at,
               timezone('utc', ended_at) AS ended_at, timezone('utc', deadline) AS deadline,
               execution_time, error, coalesce(usage, CAST('[]' AS jsonb)) AS usage
        FROM requests WHERE creator_id = :owner AND id = :request_id
    """
    row = await connection.fetch_one(sql, {"owner": owner, "request_id": request_id})
    return ChatRequest(**columns(row)) if row else None


async def select_open_request(
    connection: Connection, owner: UUID, request_id: UUID
) -> OpenRequest | None:
    """The owner's request if it waits or runs."""
    sql = """
        SELECT id, status, claim_id FROM requests
        WHERE creator_id = :owner AND id = :request_id AND status IN ('queued', 'running')
    """
    row = await connection.fetch_one(sql, {"owner": owner, "request_id": request_id})
    return OpenRequest(**columns(row)) if row else None
