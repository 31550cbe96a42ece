"""Deleting a chat with all that belongs to it."""

from uuid import UUID

from databases.core import Connection

from shared.postgres.pool import columns, transaction


async def delete_chat(connection: Connection, owner: UUID, session_id: UUID) -> list[str] | None:
    """Delete the owner's chat with its messages, requests, logs and files of no other message.

    Returns the internal names of those files, whose bytes nobody can reach any more; None: the
    owner has no such chat. Requests are locked before their chat, as by whoever ends one; and what
    is being logged or sent just now is there, or refused, when both locks are held. Files last, and
    in order: of two chats that share one, the second is deleted when the first is gone.
    """
    async with transaction(connection):
        await _lock(connection, owner, session_id)
        sql = """
            WITH chat AS (
                DELETE FROM chatconversations
                WHERE session_id = :session_id AND creator_id = :owner
                RETURNING session_id
            ), told AS (
                DELETE FROM logs USING chat WHERE logs.session_id = chat.session_id
            ), kept AS (
                SELECT DISTINCT ON (file_id) other.file_id, other.session_id, other.request_id
                FROM chat JOIN file_uses USING (session_id)
                JOIN file_uses AS other USING (file_id)
                WHERE other.session_id <> chat.session_id
                ORDER BY file_id, other.position DESC
            ), returned AS (
                UPDATE files SET session_id = kept.session_id, request_id = kept.request_id
                FROM kept, chat
                WHERE files.id = kept.file_id AND files.session_id = chat.session_id
            ), deleted AS (
                DELETE FROM files
                WHERE creator_id = :owner
                  AND id IN (SELECT file_id FROM chat JOIN file_uses USING (session_id))
                  AND id NOT IN (SELECT file_id FROM kept)
                RETURNING internal_name
            )
            SELECT array(SELECT internal_name FROM deleted) AS internal_names FROM chat
        """
        row = await connection.fetch_one(sql, {"session_id": session_id, "owner": owner})
    return columns(row)["internal_names"] if row else None


async def _lock(connection: Connection, owner: UUID, session_id: UUID) -> None:
    values = {"session_id": session_id, "owner": owner}
    requests = """
        SELECT id FROM requests
        WHERE session_id = :session_id AND creator_id = :owner AND status IN ('queued', 'running')
        ORDER BY position FOR UPDATE
    """
    await connection.fetch_all(requests, values)  # a statement of one row locks no more
    chat = """
        SELECT session_id FROM chatconversations
        WHERE session_id = :session_id AND creator_id = :owner FOR UPDATE
    """
    await connection.fetch_all(chat, values)
    files = """
        SELECT id FROM files
        WHERE creator_id = :owner
          AND id IN (SELECT file_id FROM file_uses WHERE session_id = :session_id)
        ORDER BY id FOR UPDATE
    """
    await connection.fetch_all(files, values)
