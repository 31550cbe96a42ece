"""Deleting a chat with all that belongs to it."""

from uuid import UUID

from databases.core import Connection

from shared.postgres.pool import columns, transaction


async def delete_chat(connection: Connection, owner: UUID, session_id: UUID) -> list[str] | None:
    """Delete the owner's chat with its messages, requests, logs and rows of files.

    Returns the internal names of those files, whose bytes nobody can reach any more; None: the
    owner has no such chat. Requests are locked before their chat, as by whoever ends one; and what
    is being logged or sent just now is there, or refused, when both locks are held.
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
            ), attached AS (
                DELETE FROM files USING chat
                WHERE files.session_id = chat.session_id AND creator_id = :owner
                RETURNING internal_name
            )
            SELECT array(SELECT internal_name FROM attached) AS internal_names FROM chat
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
    await connection.execute(requests, values)
    chat = """
        SELECT session_id FROM chatconversations
        WHERE session_id = :session_id AND creator_id = :owner FOR UPDATE
    """
    await connection.execute(chat, values)
