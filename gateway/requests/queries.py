"""Requests in PostgreSQL; only the asker's own."""

from typing import Any
from uuid import UUID

from databases.core import Connection
from databases.interfaces import Record

from gateway.requests.schemas import ChatRequest, RequestDetails, RequestSelection, UsedModel
from gateway.web.paging import MOST, Page, Slice, select_page
from gateway.web.told import Told
from shared.domain.endings import OpenRequest
from shared.postgres.pool import columns

_TOLD = """
    SELECT id AS request_id, session_id, message_id, status,
           timezone('utc', created_at) AS created_at, timezone('utc', sent_at) AS sent_at,
           timezone('utc', ended_at) AS ended_at, timezone('utc', deadline) AS deadline,
           execution_time, error, coalesce(usage, CAST('[]' AS jsonb)) AS usage,
           timezone('utc', claimed_at) AS claimed_at,
           timezone('utc', first_part_at) AS first_part_at,
           timezone('utc', last_part_at) AS last_part_at,
           timezone('utc', composed_at) AS composed_at,
           timezone('utc', delivered_at) AS delivered_at, bridge_id, asked_id, seq
"""
_OF_SESSION = "AND session_id = :session_id"
_OF_STATUS = "AND status = ANY(CAST(:statuses AS text[]))"
# Entries of a request are at most a little older than it, and not of days long before or after.
_OF_AGENT = """
    AND position >= coalesce((
        SELECT position FROM requests WHERE creator_id = :owner
        ORDER BY position DESC LIMIT 1 OFFSET :most
    ), 0)
    AND (asked_id = :agent_id OR EXISTS (
        SELECT FROM logs
        WHERE logs.request_id = requests.id AND logs.agent_id = CAST(:agent_id AS text)
          AND logs.created_at >= timezone('utc', requests.created_at) - interval '1 hour'
          AND logs.created_at <= timezone('utc', coalesce(ended_at, now())) + interval '1 hour'
    ))
"""


async def select_requests(
    connection: Connection, owner: UUID, wanted: RequestSelection, part: Slice
) -> Page[ChatRequest]:
    """The owner's requests that are wanted, newest first."""
    statuses = ["queued", "running"] if wanted.status == "open" else [wanted.status]
    narrowing: list[tuple[str, dict[str, Any]]] = [
        (_OF_SESSION, {"session_id": wanted.session_id}),
        (_OF_STATUS, {"statuses": statuses if wanted.status else None}),
        (_OF_AGENT, {"agent_id": wanted.agent_id, "most": MOST - 1}),
    ]
    used = [each for each in narrowing if next(iter(each[1].values())) is not None]
    sql = f"""
        {_TOLD}, coalesce(octet_length(error), 0) + coalesce(pg_column_size(usage), 0) AS bytes
        FROM requests WHERE creator_id = :owner {" ".join(condition for condition, _ in used)}
        ORDER BY position DESC LIMIT :limit OFFSET :offset
    """
    values = {"owner": owner} | {name: value for _, of in used for name, value in of.items()}
    return await select_page(connection, sql, values, part, Told(ChatRequest))


async def select_request(
    connection: Connection, owner: UUID, request_id: UUID
) -> ChatRequest | None:
    """The owner's request."""
    sql = f"{_TOLD} FROM requests WHERE creator_id = :owner AND id = :request_id"
    row = await connection.fetch_one(sql, {"owner": owner, "request_id": request_id})
    return ChatRequest(**_told(row)) if row else None


async def select_details(
    connection: Connection, owner: UUID, request_id: UUID
) -> RequestDetails | None:
    """The owner's request, and how much was logged about it; not what it waits for."""
    sql = f"""
        WITH request AS (
            {_TOLD} FROM requests WHERE creator_id = :owner AND id = :request_id
        )
        SELECT request.*, logged.*
        FROM request CROSS JOIN LATERAL (
            SELECT count(*) AS log_entries,
                   count(*) FILTER (
                       WHERE lower(log_level) IN ('error', 'critical')
                   ) AS error_entries,
                   max(created_at) AS last_logged_at
            FROM logs WHERE logs.request_id = request.request_id
        ) AS logged
    """  # noqa: S608 (statements of ours)
    row = await connection.fetch_one(sql, {"owner": owner, "request_id": request_id})
    return RequestDetails(**_told(row)) if row else None


def _told(row: Record) -> dict[str, Any]:
    return {**columns(row), "usage": [UsedModel(**each) for each in row["usage"]]}


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
