"""The metadata of files, as messages and answers carry it."""

from uuid import UUID

from databases.core import Connection

from shared.domain.frames import FileMetadata
from shared.postgres.rows import build


async def select_named_files(
    connection: Connection, owner: UUID, ids: list[UUID]
) -> list[FileMetadata]:
    """Those of the named files that are the owner's."""
    sql = """
        SELECT id, session_id, request_id, original_name, mimetype, internal_id,
               internal_name, from_agent, creator_id
        FROM files
        WHERE creator_id = :owner AND id = ANY(CAST(:ids AS uuid[]))
        ORDER BY original_name, id
    """
    rows = await connection.fetch_all(sql, {"owner": owner, "ids": ids})
    return build(FileMetadata, rows)


async def select_files(
    connection: Connection, owner: UUID, session_id: UUID, request_ids: list[UUID]
) -> list[FileMetadata]:
    """The owner's files that belong to these requests of a session, for each of them."""
    sql = """
        SELECT id, file_uses.session_id, file_uses.request_id, original_name, mimetype, internal_id,
               internal_name, from_agent, creator_id
        FROM file_uses JOIN files ON files.id = file_id
        WHERE creator_id = :owner AND file_uses.session_id = :session_id
          AND file_uses.request_id = ANY(CAST(:request_ids AS uuid[]))
        ORDER BY from_agent, original_name, id
    """
    values = {"owner": owner, "session_id": session_id, "request_ids": request_ids}
    return build(FileMetadata, await connection.fetch_all(sql, values))
