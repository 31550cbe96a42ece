"""Chats and their messages in PostgreSQL."""

from uuid import UUID

from databases.core import Connection

from gateway.chats.schemas import Chat, CreatedChat, HistoryItem
from gateway.web.paging import Page, Slice, select_page
from gateway.web.told import Told
from shared.postgres.pool import columns


async def insert_chat(
    connection: Connection, owner: UUID, session_id: UUID, title: str
) -> CreatedChat | None:
    """The new chat, or None: there is one with this id."""
    sql = """
        INSERT INTO chatconversations (session_id, title, creator_id)
        VALUES (:session_id, :title, :owner)
        ON CONFLICT (session_id) DO NOTHING
        RETURNING session_id, title, created_at, updated_at, creator_id
    """
    values = {"session_id": session_id, "title": title, "owner": owner}
    row = await connection.fetch_one(sql, values)
    return CreatedChat(**columns(row)) if row else None


async def select_chats(connection: Connection, owner: UUID, part: Slice) -> Page[Chat]:
    """The owner's chats but those that others' protocols have made, newest first."""
    sql = """
        SELECT session_id, title, created_at, updated_at, octet_length(title) AS bytes
        FROM chatconversations
        WHERE creator_id = :owner AND origin IS NULL
        ORDER BY created_at DESC, session_id LIMIT :limit OFFSET :offset
    """
    return await select_page(connection, sql, {"owner": owner}, part, Told(Chat))


async def select_all_chats(connection: Connection, owner: UUID, part: Slice) -> Page[Chat]:
    """The owner's chats, whatever has made them, newest first."""
    sql = """
        SELECT session_id, title, created_at, updated_at, octet_length(title) AS bytes
        FROM chatconversations
        WHERE creator_id = :owner
        ORDER BY created_at DESC, session_id LIMIT :limit OFFSET :offset
    """
    return await select_page(connection, sql, {"owner": owner}, part, Told(Chat))


async def update_chat(
    connection: Connection, owner: UUID, session_id: UUID, title: str
) -> CreatedChat | None:
    """The owner's chat under its new title."""
    sql = """
        UPDATE chatconversations SET title = :title, updated_at = now()
        WHERE session_id = :session_id AND creator_id = :owner
        RETURNING session_id, title, created_at, updated_at, creator_id
    """
    values = {"session_id": session_id, "title": title, "owner": owner}
    row = await connection.fetch_one(sql, values)
    return CreatedChat(**columns(row)) if row else None


async def count_messages(connection: Connection, owner: UUID, session_id: UUID) -> int:
    """How many messages the owner's chat has."""
    sql = """
        SELECT count(*) FROM chatmessages
        JOIN chatconversations ON session_id = conversation_id
        WHERE session_id = :session_id AND creator_id = :owner
    """
    return int(await connection.fetch_val(sql, {"owner": owner, "session_id": session_id}))


async def select_messages(
    connection: Connection, owner: UUID, session_id: UUID, part: Slice
) -> Page[HistoryItem]:
    """Messages of the owner's chat, newest first."""
    sql = """
        SELECT sender_type, content, request_id, chatmessages.created_at,
               octet_length(content) AS bytes
        FROM chatmessages
        JOIN chatconversations ON session_id = conversation_id
        WHERE session_id = :session_id AND creator_id = :owner
        ORDER BY chatmessages.created_at DESC, chatmessages.id LIMIT :limit OFFSET :offset
    """
    values = {"owner": owner, "session_id": session_id}
    return await select_page(connection, sql, values, part, Told(HistoryItem))
