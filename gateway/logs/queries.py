"""Log entries in PostgreSQL; only those of the asker's own sessions."""

from uuid import UUID

from databases.core import Connection

from gateway.web.paging import Page, Slice, select_page
from shared.domain.frames import LogEntry
from shared.postgres.rows import builder


async def select_session_logs(
    connection: Connection, owner: UUID, session_id: UUID, part: Slice
) -> Page[LogEntry]:
    """The log entries of a session, in order."""
    sql = """
        SELECT session_id, request_id, log_level, message, logs.creator_id, agent_id,
               logs.created_at, logs.updated_at, octet_length(message) AS bytes
        FROM logs JOIN chatconversations USING (session_id)
        WHERE session_id = :session_id AND chatconversations.creator_id = :owner
        ORDER BY id LIMIT :limit OFFSET :offset
    """
    values = {"owner": owner, "session_id": session_id}
    return await select_page(connection, sql, values, part, builder(LogEntry))


async def select_request_logs(
    connection: Connection, owner: UUID, request_id: UUID, part: Slice
) -> Page[LogEntry]:
    """The log entries of a request, in order."""
    sql = """
        SELECT session_id, request_id, log_level, message, logs.creator_id, agent_id,
               logs.created_at, logs.updated_at, octet_length(message) AS bytes
        FROM logs JOIN chatconversations USING (session_id)
        WHERE request_id = :request_id AND chatconversations.creator_id = :owner
        ORDER BY id LIMIT :limit OFFSET :offset
    """
    values = {"owner": owner, "request_id": request_id}
    return await select_page(connection, sql, values, part, builder(LogEntry))
