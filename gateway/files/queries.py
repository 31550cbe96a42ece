"""The metadata of files in PostgreSQL."""

from collections.abc import Callable
from uuid import UUID

from databases.core import Connection
from databases.interfaces import Record

from gateway.files.schemas import FileOrigin, SessionFile, StoredFile
from gateway.web.paging import Page, Slice, select_page
from gateway.web.told import Told
from shared.postgres.pool import columns
from shared.postgres.rows import builder


async def insert_file(
    connection: Connection,
    id_: UUID,
    owner: UUID,
    origin: FileOrigin,
    original_name: str,
    internal_name: str,
    mimetype: str,
    size: int,
) -> bool:
    """Store what is known of a file, in place of the note of its object.

    False: session or request are not the owner's, or the object is old and a sweep removes it.
    Triggers add the file to those of its session, and its bytes to those of its owner.
    """
    sql = """
        WITH object AS (
            SELECT internal_name FROM stray_objects
            WHERE internal_name = :internal_name AND is_upload FOR UPDATE
        ), chat AS (
            SELECT session_id FROM chatconversations
            WHERE session_id = CAST(:session_id AS uuid) AND creator_id = :owner FOR KEY SHARE
        ), file AS (
            INSERT INTO files
                (id, session_id, request_id, creator_id, original_name, internal_name, internal_id,
                 mimetype, from_agent, size)
            SELECT CAST(:id AS uuid), CAST(:session_id AS uuid), CAST(:request_id AS uuid),
                   CAST(:owner AS uuid), :original_name, internal_name, CAST(:id AS uuid),
                   :mimetype, :from_agent, :size
            FROM object
            WHERE (CAST(:session_id AS uuid) IS NULL OR EXISTS (SELECT FROM chat))
              AND (CAST(:request_id AS uuid) IS NULL OR EXISTS (
                    SELECT FROM requests
                    WHERE id = :request_id AND creator_id = :owner
                      AND session_id = coalesce(CAST(:session_id AS uuid), session_id)))
            RETURNING internal_name
        )
        DELETE FROM stray_objects USING file
        WHERE stray_objects.internal_name = file.internal_name
        RETURNING file.internal_name
    """
    values = {
        "id": id_,
        "owner": owner,
        "session_id": origin.session_id,
        "request_id": origin.request_id,
        "original_name": original_name,
        "internal_name": internal_name,
        "mimetype": mimetype,
        "from_agent": origin.from_agent,
        "size": size,
    }
    return await connection.fetch_one(sql, values) is not None


async def select_has_session(connection: Connection, owner: UUID, session_id: UUID) -> bool:
    """Whether the owner has this session."""
    sql = """
        SELECT EXISTS (
            SELECT FROM chatconversations WHERE session_id = :session_id AND creator_id = :owner
        )
    """
    return bool(await connection.fetch_val(sql, {"session_id": session_id, "owner": owner}))


async def select_file(connection: Connection, owner: UUID, id_: UUID) -> StoredFile | None:
    """One of the owner's files."""
    sql = """
        SELECT id, session_id, request_id, original_name, mimetype, internal_id,
               internal_name, from_agent, creator_id, size, created_at
        FROM files WHERE creator_id = :owner AND id = :id
    """
    row = await connection.fetch_one(sql, {"owner": owner, "id": id_})
    return StoredFile(**columns(row)) if row else None


async def select_stored_files(
    connection: Connection,
    owner: UUID,
    part: Slice,
    make: Callable[[Record], StoredFile] = builder(StoredFile),  # noqa: B008 (it keeps nothing)
) -> Page[StoredFile]:
    """The owner's files, newest first; those of unknown age at the end."""
    sql = """
        SELECT id, session_id, request_id, original_name, mimetype, internal_id,
               internal_name, from_agent, creator_id, size, created_at,
               2 * octet_length(original_name) + octet_length(mimetype) AS bytes
        FROM files WHERE creator_id = :owner
        ORDER BY created_at DESC NULLS LAST, id LIMIT :limit OFFSET :offset
    """
    return await select_page(connection, sql, {"owner": owner}, part, make)


async def select_session_files(
    connection: Connection, owner: UUID, session_id: UUID, part: Slice
) -> Page[SessionFile]:
    """The owner's files of a session, oldest first; once for each message that it belongs to."""
    sql = """
        SELECT file_id, file_uses.session_id, file_uses.request_id, 0 AS bytes
        FROM file_uses JOIN files ON files.id = file_id
        WHERE creator_id = :owner AND file_uses.session_id = :session_id
        ORDER BY created_at NULLS FIRST, file_id, position LIMIT :limit OFFSET :offset
    """
    values = {"owner": owner, "session_id": session_id}
    return await select_page(connection, sql, values, part, Told(SessionFile))


async def select_bytes(connection: Connection, owner: UUID) -> int:
    """How many bytes the owner's files have together."""
    sql = "SELECT bytes FROM file_totals WHERE user_id = :owner"
    return int(await connection.fetch_val(sql, {"owner": owner}) or 0)


async def delete_file(connection: Connection, owner: UUID, id_: UUID) -> None:
    """Forget one of the owner's files; a trigger notes its object."""
    sql = "DELETE FROM files WHERE creator_id = :owner AND id = :id"
    await connection.execute(sql, {"owner": owner, "id": id_})
