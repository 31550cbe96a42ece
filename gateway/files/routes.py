"""Uploading, downloading and listing files."""

import asyncio
import logging
from functools import partial
from uuid import UUID, uuid4

import attrs
from databases.core import Connection
from databases.interfaces import Record
from starlette.responses import Response

from gateway.files import queries
from gateway.files.download import DESCRIPTION, answer_file
from gateway.files.quota import OverQuotaError, check_quota, find_allowance
from gateway.files.schemas import (
    CreatedFile,
    FileId,
    FileOrigin,
    FilePage,
    FileSelection,
    NewFile,
    SessionFile,
    StoredFile,
)
from gateway.files.upload import Upload, receive_upload
from gateway.web.auth import Access
from gateway.web.call import Call
from gateway.web.errors import ApiError, BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import get, listing
from gateway.web.operation import Operation
from gateway.web.paging import Page
from gateway.web.told import Told
from shared.domain.frames import FileMetadata
from shared.postgres.pool import connect, give_back, transaction

logger = logging.getLogger(__name__)


async def create_file(call: Call[Nothing, Nothing]) -> CreatedFile:
    """Store a file.

    An agent says which session and request it made the file for.
    """
    try:
        return await _create_file(call)
    except OverQuotaError:
        host = call.request.client.host if call.request.client else "a socket"
        logger.warning("user %s, from %s, is over FILES_BYTES_PER_USER", call.user_id, host)
        raise


async def _create_file(call: Call[Nothing, Nothing]) -> CreatedFile:
    id_, objects = uuid4(), call.state["objects"]
    upload = await receive_upload(call.request, objects, id_, await find_allowance(call))
    try:
        await _insert(call, id_, upload)
    except BaseException:
        await objects.remove(upload.internal_name)
        raise
    return CreatedFile(id_)


async def _insert(call: Call[Nothing, Nothing], id_: UUID, upload: Upload) -> None:
    quota = call.state["settings"].files_bytes_per_user
    async with connect(call.database) as connection:
        async with transaction(connection):
            inserted = await queries.insert_file(
                connection,
                id_,
                call.user_id,
                upload.origin,
                upload.name,
                upload.internal_name,
                upload.mimetype,
                upload.size,
            )
            if inserted:
                return await check_quota(connection, call.user_id, quota, upload.size)
        raise await _explain(connection, call.user_id, upload.origin)


async def _explain(connection: Connection, owner: UUID, origin: FileOrigin) -> BadRequestError:
    """Why a file was not inserted."""
    session_id, request_id = origin.session_id, origin.request_id
    if session_id and not await queries.select_has_session(connection, owner, session_id):
        return BadRequestError(f"Session with id {session_id} does not exist")
    if request_id:
        return BadRequestError(f"Request with id {request_id} does not exist")
    return BadRequestError("The upload took too long, please try again")


async def read_file(call: Call[Nothing, FileId]) -> Response:
    """Download a file.

    Ranges, conditions and HEAD work as in any file server.
    """
    file, storage = await _find(call), call.state["storage"]
    size = await storage.size(file.internal_name)
    if size is None:
        raise ApiError(f"Metadata of file {file.id} exists, but file was not found")
    return answer_file(call.request, file, size, partial(storage.read, file.internal_name))


async def read_file_metadata(call: Call[Nothing, FileId]) -> FileMetadata:
    """Read what is known of a file."""
    file = await _find(call)
    return FileMetadata(
        **{field.name: getattr(file, field.name) for field in attrs.fields(FileMetadata)}
    )


async def _find(call: Call[Nothing, FileId]) -> StoredFile:
    id_ = call.parameters.file_id
    async with connect(call.database) as connection:
        file = await queries.select_file(connection, call.user_id, id_)
    if file is None:
        raise BadRequestError(f"File with id {id_} does not exist")
    return file


async def list_session_files(call: Call[Nothing, FileSelection]) -> Page[SessionFile]:
    """List the files of a session, oldest first."""
    session_id = call.parameters.session_id
    return await call.read_page(
        lambda connection, part: queries.select_session_files(
            connection, call.user_id, session_id, part
        )
    )


async def list_files(call: Call[Nothing, FilePage]) -> Page[StoredFile]:
    """List the user's files, newest first."""
    sizes: dict[str, int | None] = {}

    def size(row: Record) -> int | None:
        stored: int | None = row["size"]
        return sizes[row["internal_name"]] if stored is None else stored

    make = Told(StoredFile, ("internal_name", "size"), size=size)
    page = await call.read_page(
        lambda connection, part: queries.select_stored_files(connection, call.user_id, part, make)
    )
    unsized = [row["internal_name"] for row in page.rows if row["size"] is None]
    if unsized:
        await give_back(call.database)
        found = await asyncio.gather(*map(call.state["storage"].size, unsized))
        sizes.update(zip(unsized, found, strict=True))
    return page


async def delete_file(call: Call[Nothing, FileId]) -> None:
    """Delete a file."""
    file = await _find(call)
    async with connect(call.database) as connection:
        await queries.delete_file(connection, call.user_id, file.id)
    await call.state["objects"].remove(file.internal_name)


# None keeps a connection while it waits for the storage or the sender: both may be slow.
operations = [
    Operation(
        method="POST",
        path="/files",
        handler=create_file,
        body=NewFile,
        body_format="multipart",
        result=CreatedFile,
        status=201,
        names={"file_id": "/id"},
        access=Access.USER_OR_AGENT,
        stores=True,
        lends=False,
    ),
    listing(
        "/files",
        list_session_files,
        FileSelection,
        list[SessionFile],
        access=Access.USER_OR_SERVICE,
        fails=False,
    ),
    get(
        "/files/{file_id}/metadata",
        read_file_metadata,
        FileId,
        FileMetadata,
        access=Access.USER_OR_AGENT,
    ),
    Operation(
        method="GET",
        path="/files/{file_id}",
        handler=read_file,
        parameters=FileId,
        result=Response,
        responses=DESCRIPTION,
        access=Access.USER_OR_AGENT,
        lends=False,
    ),
    Operation(
        method="DELETE",
        path="/files/{file_id}",
        handler=delete_file,
        parameters=FileId,
        status=204,
        lends=False,
    ),
    listing(
        "/user/files/metadata",
        list_files,
        FilePage,
        list[StoredFile],
        access=Access.USER_OR_AGENT,
        fails=False,
    ),
]
