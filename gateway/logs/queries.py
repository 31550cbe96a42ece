"""Log entries in PostgreSQL; only those of the asker's own sessions."""

from collections.abc import Mapping
from uuid import UUID

from databases.core import Connection

from gateway.web.paging import Page, Slice, select_page
from gateway.web.told import Told
from shared.domain.frames import LogEntry

ENTRIES = """
    SELECT session_id, request_id, log_level, message, logs.creator_id, agent_id,
           logs.created_at, logs.updated_at, octet_length(message) AS bytes
    FROM logs JOIN chatconversations USING (session_id)
    WHERE chatconversations.creator_id = :owner
      AND (CAST(:agent_id AS text) IS NULL OR agent_id = :agent_id)
"""
IN_ORDER = "ORDER BY id LIMIT :limit OFFSET :offset"


async def select_session_logs(
    connection: Connection, owner: UUID, session_id: UUID, agent_id: str | None, part: Slice
) -> Page[LogEntry]:
    """The log entries of a session, of one agent or all, in order."""
    sql = f"{ENTRIES} AND session_id = :session_id {IN_ORDER}"
    values = {"owner": owner, "session_id": session_id, "agent_id": agent_id}
    return await _select(connection, sql, values, part)


async def select_request_logs(
    connection: Connection, owner: UUID, request_id: UUID, agent_id: str | None, part: Slice
) -> Page[LogEntry]:
    """The log entries of a request, of one agent or all, in order."""
    sql = f"{ENTRIES} AND request_id = :request_id {IN_ORDER}"
    values = {"owner": owner, "request_id": request_id, "agent_id": agent_id}
    return await _select(connection, sql, values, part)


async def _select(
    connection: Connection, sql: str, values: Mapping[str, UUID | str | None], part: Slice
) -> Page[LogEntry]:
    return await select_page(connection, sql, values, part, Told(LogEntry))
