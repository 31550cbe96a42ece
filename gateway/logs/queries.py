"""Log entries in PostgreSQL; only those of the asker's own sessions."""

from uuid import UUID

from databases.core import Connection

from shared.domain.frames import LogEntry
from shared.postgres.rows import build


async def select_logs(
    connection: Connection, owner: UUID, session_id: UUID | None, request_id: UUID | None
) -> list[LogEntry]:
    """The log entries of a session or a request, in order."""
    sql = """
        SELECT logs.session_id, logs.request_id, logs.log_level, logs.message, logs.creator_id,
               logs.agent_id, logs.created_at, logs.updated_at
        FROM logs JOIN chatconversations USING (session_id)
        WHERE chatconversations.creator_id = :owner
          AND (logs.session_id = :session_id OR logs.request_id = :request_id)
        ORDER BY logs.id
    """
    values = {"owner": owner, "session_id": session_id, "request_id": request_id}
    return build(LogEntry, await connection.fetch_all(sql, values))
