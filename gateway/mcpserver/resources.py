"""The user's files as resources."""

from typing import Any

from mcp import MCPError
from mcp_types import INVALID_PARAMS

from gateway.files.queries import select_file, select_stored_files
from gateway.files.schemas import StoredFile
from gateway.mcpserver.contents import SCHEME, described, id_in, read_all, resource_of
from gateway.openapi.schemas import Json
from gateway.web.call import Call
from gateway.web.paging import Slice
from shared.codec.sizes import in_units
from shared.codec.times import format_time
from shared.postgres.pool import connect

PAGE_LIMIT = 100  # files of a list
READ_LIMIT = 4 * 1024 * 1024  # bytes of a file that is read
CURSOR_LIMIT = 12  # digits
NOT_FOUND = -32002  # of revisions with sessions; later ones have a code of JSON-RPC for it

TEMPLATE: Json = {
    "uriTemplate": f"{SCHEME}{{file_id}}",
    "name": "file",
    "title": "A file of the user's",
    "description": "What was uploaded, and what agents have made, by its id.",
}


async def list_resources(call: Call[Any, Any], cursor: str | None) -> Json:
    """A page of the files, the newest first. Raises MCPError for a cursor of nobody's."""
    offset = 0 if cursor is None else _offset_in(cursor)

    async with call.turn("list_resources"):
        page = await call.read_page(
            lambda connection, part: select_stored_files(connection, call.user_id, part),
            Slice(PAGE_LIMIT, offset),
        )
    files = page.things()
    more = {"nextCursor": str(offset + len(files))} if page.has_more else {}
    return {"resources": [_resource(file) for file in files], **more}


async def read_resource(call: Call[Any, Any], uri: str, *, is_modern: bool) -> Json:
    """What a file holds. Raises MCPError, and errors of the API."""
    id_, storage = id_in(uri), call.state["storage"]
    file = None if id_ is None else await _find(call, id_)
    size = None if file is None else await storage.size(file.internal_name)
    if file is None or size is None:
        code = INVALID_PARAMS if is_modern else NOT_FOUND
        raise MCPError(code, "Resource not found", {"uri": uri})
    if size > READ_LIMIT:
        most = in_units(READ_LIMIT)
        raise MCPError(
            INVALID_PARAMS,
            f"A resource can be read up to {most}: GET /files/{file.id} downloads the file",
        )
    await call.make_room(2 * size)
    return {"contents": [resource_of(file, await read_all(storage, file, size))]}


async def _find(call: Call[Any, Any], id_: Any) -> StoredFile | None:
    async with call.turn("read_resource"), connect(call.database) as connection:
        return await select_file(connection, call.user_id, id_)


def _resource(file: StoredFile) -> Json:
    size = {} if file.size is None else {"size": file.size}
    made = file.created_at
    dated = {} if made is None else {"annotations": {"lastModified": f"{format_time(made)}Z"}}
    return {**described(file), **size, **dated}


def _offset_in(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= CURSOR_LIMIT):
        raise MCPError(INVALID_PARAMS, "There is no such cursor")
    return int(cursor)
