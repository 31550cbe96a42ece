"""Log entries in PostgreSQL; only those of the asker's own sessions."""

from uuid import UUID

from databases.core import Connection

from gateway.web.paging import Page, Slice, select_page
from shared.domain.frames import LogEntry
from shared.postgres.rows import builder


async def select_logs(
    connection: Connection,
    owner: UUID,
    session_id: UUID | None,
    request_id: UUID | None,
    part: Slice,
) -> Page[LogEntry]:
    """The log entries of a session or a request, in order."""
    # Of either an index has the ids in their order. For both at once the planner would go through
    # the entries of all sessions by their ids, as there is a limit.
    sql = """
        WITH wanted AS (
            (SELECT logs.id FROM logs JOIN chatconversations USING (session_id)
             WHERE session_id = :session_id AND chatconversations.creator_id = :owner)
            UNION ALL
            (SELECT logs.id FROM logs JOIN chatconversations USING (session_id)
             WHERE request_id = :request_id AND chatconversations.creator_id = :owner)
            ORDER BY id LIMIT :limit OFFSET :offset
        )
        SELECT session_id, request_id, log_level, message, creator_id, agent_id,
               created_at, updated_at, octet_length(message) AS bytes
        FROM logs JOIN wanted USING (id) ORDER BY id
    """
    values = {"owner": owner, "session_id": session_id, "request_id": request_id}
    return await select_page(connection, sql, values, part, builder(LogEntry))
