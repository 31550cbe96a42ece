"""Sessions and their frames in PostgreSQL."""

from collections import defaultdict
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from shared.domain.files import select_files
from shared.domain.frames import FileMetadata, LogEntry, LogFrame, Response, ResponseFrame, respond
from shared.notifications.formats import Request
from shared.postgres.pool import columns
from shared.postgres.rows import as_json


@frozen
class Session:
    """Whether a session is the asker's, and how many frames it has had."""

    is_own: bool
    last_seq: int


@frozen
class StoredFrame:
    """A frame as it is read, its place in the session, and which request it is about."""

    seq: int
    frame: LogFrame | ResponseFrame
    request: Request


async def select_session(connection: Connection, owner: UUID, session_id: UUID) -> Session | None:
    """A session that somebody has; of another user's not how far it is."""
    sql = """
        SELECT creator_id IS NOT DISTINCT FROM CAST(:owner AS uuid) AS is_own,
               CASE WHEN creator_id = :owner THEN last_seq ELSE 0 END AS last_seq
        FROM chatconversations WHERE session_id = :session_id
    """
    row = await connection.fetch_one(sql, {"owner": owner, "session_id": session_id})
    return Session(**columns(row)) if row else None


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
) -> list[StoredFrame]:
    """The frames of the owner's session after one seq up to another, in order."""
    logs = await _select_log_frames(connection, owner, session_id, after, last)
    responses = await _select_response_frames(connection, owner, session_id, after, last)
    return sorted([*logs, *responses], key=lambda stored: stored.seq)


async def _select_log_frames(
    connection: Connection, owner: UUID, session_id: UUID, after: int, last: int
) -> list[StoredFrame]:
    sql = """
        SELECT logs.seq, logs.session_id, logs.request_id, logs.log_level, logs.message,
               logs.creator_id, logs.agent_id, logs.created_at, logs.updated_at,
               requests.message_id
        FROM logs JOIN chatconversations AS chat ON chat.session_id = logs.session_id
        LEFT JOIN requests ON requests.id = logs.request_id
        WHERE logs.session_id = :session_id AND logs.seq > :after AND logs.seq <= :last
          AND chat.creator_id = :owner
        ORDER BY logs.seq
    """
    values = {"owner": owner, "session_id": session_id, "after": after, "last": last}
    frames = []
    for row in await connection.fetch_all(sql, values):
        found = columns(row)
        seq, request = found.pop("seq"), Request(found["request_id"], found.pop("message_id"))
        frames.append(StoredFrame(seq, LogFrame(LogEntry(**found), seq), request))
    return frames


async def _select_response_frames(
    connection: Connection, owner: UUID, session_id: UUID, after: int, last: int
) -> list[StoredFrame]:
    sql = """
        SELECT requests.seq, requests.id, requests.status, requests.execution_time,
               requests.error, requests.message_id, chatmessages.content
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
        frame = respond(row["seq"], response, row["error"])
        frames.append(StoredFrame(row["seq"], frame, Request(row["id"], row["message_id"])))
    return frames
