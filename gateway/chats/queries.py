"""Chats, messages and frames in PostgreSQL."""

from collections import defaultdict
from datetime import timedelta
from enum import Enum
from uuid import UUID, uuid4

import asyncpg
import attrs
from attrs import frozen
from databases.core import Connection

from gateway.chats.schemas import Chat, CreatedChat, HistoryItem
from gateway.web.paging import Page, Slice, select_page
from shared.domain.files import select_files
from shared.domain.frames import (
    FileMetadata,
    LogEntry,
    LogFrame,
    Response,
    ResponseFrame,
    respond,
)
from shared.postgres.pool import columns
from shared.postgres.rows import as_json, builder


@frozen
class Session:
    """Whether a session is the asker's, and how many frames it has had."""

    is_own: bool
    last_seq: int


class Acceptance(Enum):
    """What became of a message."""

    STORED = "stored"
    TOO_MANY_OPEN = "too many open"
    FOREIGN_SESSION = "foreign session"
    REPEATED = "repeated"


@frozen
class Repeated:
    """A request whose message came again, and the seq of its answer; None: that is to come."""

    request_id: UUID
    seq: int | None


@frozen(kw_only=True)
class NewRequest:
    """A message that was accepted, and what it needs to be answered."""

    request_id: UUID
    session_id: UUID
    owner: UUID
    title: str
    message: str
    config_name: str | None
    provider_name: str | None
    file_ids: list[UUID]
    timeout: timedelta
    """How long from now; by the database's clock, as everything that others compare."""
    message_id: UUID | None
    traceparent: str | None = None


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
    """The owner's chats, newest first."""
    sql = """
        SELECT session_id, title, created_at, updated_at, octet_length(title) AS bytes
        FROM chatconversations
        WHERE creator_id = :owner
        ORDER BY created_at DESC, session_id LIMIT :limit OFFSET :offset
    """
    return await select_page(connection, sql, {"owner": owner}, part, builder(Chat))


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
    return await select_page(connection, sql, values, part, builder(HistoryItem))


async def select_session(connection: Connection, owner: UUID, session_id: UUID) -> Session | None:
    """A session that somebody has; of another user's not how far it is."""
    sql = """
        SELECT creator_id IS NOT DISTINCT FROM CAST(:owner AS uuid) AS is_own,
               CASE WHEN creator_id = :owner THEN last_seq ELSE 0 END AS last_seq
        FROM chatconversations WHERE session_id = :session_id
    """
    row = await connection.fetch_one(sql, {"owner": owner, "session_id": session_id})
    return Session(**columns(row)) if row else None


async def insert_request(connection: Connection, new: NewRequest, most_open: int) -> Acceptance:
    """Store a message and the request to answer it, unless `most_open` of the owner's are open.

    One statement: chat, message, files and request are there together or not at all. The chat's
    row is locked first, so that the requests of a session stand in the order of their messages;
    then files, in order too. A trigger adds these to the session's, and takes them from no other.
    Statements at the same moment don't see each other's: a few more than `most_open` can get in,
    as many as there are connections. 0 means any number. A message whose id the session has
    already leaves no trace.
    """
    sql = """
        WITH room AS (
            SELECT CAST(:most_open AS int) = 0 OR count(*) < :most_open OR EXISTS (
                SELECT FROM requests WHERE session_id = CAST(:session_id AS uuid)
                AND creator_id = :owner AND message_id = CAST(:message_id AS uuid)
            ) AS is_there
            FROM requests WHERE creator_id = :owner AND status IN ('queued', 'running')
        ), chat AS (
            INSERT INTO chatconversations (session_id, title, creator_id, last_event_at)
            SELECT CAST(:session_id AS uuid), :title, :owner, timezone('utc', clock_timestamp())
            FROM room WHERE is_there
            ON CONFLICT (session_id) DO UPDATE SET updated_at = excluded.last_event_at,
                last_event_at = greatest(excluded.last_event_at,
                    chatconversations.last_event_at + interval '1 millisecond')
            WHERE chatconversations.creator_id = :owner
            RETURNING session_id, last_event_at
        ), question AS (
            INSERT INTO chatmessages
                (id, request_id, sender_type, content, created_at, updated_at, conversation_id)
            SELECT CAST(:question_id AS uuid), :request_id, 'user', :message,
                   last_event_at, last_event_at, session_id
            FROM chat
        ), named AS (
            SELECT files.id, chat.session_id FROM files CROSS JOIN chat
            WHERE files.id = ANY(CAST(:file_ids AS uuid[])) AND creator_id = :owner
            ORDER BY files.id FOR UPDATE OF files
        ), marked AS (
            UPDATE files SET session_id = named.session_id, request_id = :request_id
            FROM named WHERE files.id = named.id
        ), request AS (
            INSERT INTO requests
                (id, session_id, creator_id, config_name, provider_name, file_ids, deadline,
                 message_id, traceparent)
            SELECT CAST(:request_id AS uuid), session_id, :owner, :config_name, :provider_name,
                   CAST(:file_ids AS uuid[]), now() + CAST(:timeout AS interval),
                   CAST(:message_id AS uuid), CAST(:traceparent AS text)
            FROM chat
            RETURNING id
        )
        SELECT CASE WHEN NOT is_there THEN 'too many open'
                    WHEN EXISTS (SELECT FROM request) THEN 'stored'
                    ELSE 'foreign session' END
        FROM room
    """
    values = {**attrs.asdict(new, recurse=False), "question_id": uuid4(), "most_open": most_open}
    try:
        return Acceptance(await connection.fetch_val(sql, values))
    except asyncpg.UniqueViolationError:
        return Acceptance.REPEATED


async def select_repeated(connection: Connection, repeated: NewRequest) -> Repeated | None:
    """The request that the same message has begun before; None: its chat was deleted just now."""
    sql = """
        SELECT id AS request_id, seq FROM requests
        WHERE creator_id = :owner AND session_id = :session_id AND message_id = :message_id
    """
    values = {
        "owner": repeated.owner,
        "session_id": repeated.session_id,
        "message_id": repeated.message_id,
    }
    row = await connection.fetch_one(sql, values)
    return Repeated(**columns(row)) if row else None


@frozen
class FramesAhead:
    """The next frames of a session: the seq of the last of them, and about how many bytes."""

    last: int
    size: int


async def select_frames_ahead(
    connection: Connection, owner: UUID, session_id: UUID, after: int, limit: int, most_bytes: int
) -> FramesAhead | None:
    """How far a page of the owner's session goes: at least one frame, but no more than both bounds.

    Numbers are given out in the order of the commits: what is read of this page later is all there
    then. The texts are not unpacked: `octet_length` looks at their headers.
    """
    sql = """
        WITH ahead AS (
            (SELECT seq, octet_length(message) AS size FROM logs
             WHERE session_id = :session_id AND seq > :after ORDER BY seq LIMIT :limit)
            UNION ALL
            (SELECT requests.seq, octet_length(chatmessages.content)
             FROM requests JOIN chatmessages
               ON chatmessages.request_id = requests.id
              AND conversation_id = requests.session_id AND sender_type = 'master_agent'
             WHERE requests.session_id = :session_id AND requests.seq > :after
             ORDER BY requests.seq LIMIT :limit)
        ), page AS (
            SELECT seq, row_number() OVER (ORDER BY seq) AS place,
                   sum(size) OVER (ORDER BY seq) AS size
            FROM ahead
        )
        SELECT max(seq) AS last, CAST(max(size) AS bigint) AS size FROM page
        WHERE (place = 1 OR place <= :limit AND size <= :most_bytes)
          AND EXISTS (
              SELECT FROM chatconversations
              WHERE session_id = :session_id AND creator_id = :owner
          )
    """
    values = {
        "owner": owner,
        "session_id": session_id,
        "after": after,
        "limit": limit,
        "most_bytes": most_bytes,
    }
    row = await connection.fetch_one(sql, values)
    return FramesAhead(**columns(row)) if row and row["last"] is not None else None


async def select_frames(
    connection: Connection, owner: UUID, session_id: UUID, after: int, last: int
) -> list[LogFrame | ResponseFrame]:
    """The frames of the owner's session after one seq up to another, in order."""
    logs = await _select_log_frames(connection, owner, session_id, after, last)
    responses = await _select_response_frames(connection, owner, session_id, after, last)
    frames: list[tuple[int, LogFrame | ResponseFrame]] = [*logs, *responses]
    return [frame for _, frame in sorted(frames, key=lambda item: item[0])]


async def _select_log_frames(
    connection: Connection, owner: UUID, session_id: UUID, after: int, last: int
) -> list[tuple[int, LogFrame]]:
    sql = """
        SELECT logs.seq, logs.session_id, logs.request_id, logs.log_level, logs.message,
               logs.creator_id, logs.agent_id, logs.created_at, logs.updated_at
        FROM logs JOIN chatconversations USING (session_id)
        WHERE session_id = :session_id AND seq > :after AND seq <= :last
          AND chatconversations.creator_id = :owner
        ORDER BY seq
    """
    values = {"owner": owner, "session_id": session_id, "after": after, "last": last}
    frames = []
    for row in await connection.fetch_all(sql, values):
        found = columns(row)
        seq = found.pop("seq")
        frames.append((seq, LogFrame(LogEntry(**found), seq)))
    return frames


async def _select_response_frames(
    connection: Connection, owner: UUID, session_id: UUID, after: int, last: int
) -> list[tuple[int, ResponseFrame]]:
    sql = """
        SELECT requests.seq, requests.id, requests.status, requests.execution_time,
               requests.error, chatmessages.content
        FROM requests JOIN chatmessages
          ON chatmessages.request_id = requests.id AND conversation_id = requests.session_id
         AND sender_type = 'master_agent'
        WHERE requests.session_id = :session_id
          AND requests.seq > :after AND requests.seq <= :last
          AND requests.creator_id = :owner
        ORDER BY requests.seq
    """
    values = {"owner": owner, "session_id": session_id, "after": after, "last": last}
    rows = await connection.fetch_all(sql, values)
    files: defaultdict[UUID | None, list[FileMetadata]] = defaultdict(list)
    for file in await select_files(connection, owner, session_id, [row["id"] for row in rows]):
        files[file.request_id].append(file)
    frames = []
    for row in rows:
        response = Response(
            is_success=row["status"] == "answered",
            execution_time=row["execution_time"] or 0.0,
            response=as_json(row["content"]),
            request_id=row["id"],
            session_id=session_id,
            files=files[row["id"]],
        )
        frames.append((row["seq"], respond(row["seq"], response, row["error"])))
    return frames
