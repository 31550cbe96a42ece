"""Files as contents of MCP: their bytes where they are small, else how to come by them."""

from base64 import b64encode
from collections.abc import Sequence
from uuid import UUID

from attrs import define
from mcp_types.version import is_version_at_least

from gateway.files.storage import Storage, StorageAwayError
from gateway.mcpserver.words import text_content
from gateway.openapi.schemas import Json
from shared.domain.frames import FileMetadata

SCHEME = "genai://files/"
INLINE_LIMIT = 256 * 1024  # bytes of a file that stands in a result
INLINE_ALL_LIMIT = 384 * 1024  # of all such files of a result: the SDK takes events of 1 MiB
LINKS = "2025-06-18"  # the first revision with links to resources
TEXTS = ("json", "xml", "yaml", "javascript", "toml", "sql", "csv")  # application/… that are texts


@define
class Contents:
    """Makes the contents of one result."""

    storage: Storage
    version: str
    _left: int = INLINE_ALL_LIMIT

    async def of(self, files: Sequence[FileMetadata]) -> list[Json]:
        """Those of the files that agents made for the answer."""
        return [await self._of(file) for file in files if file.from_agent]

    async def _of(self, file: FileMetadata) -> Json:
        try:
            data = await self._read(file)
        except StorageAwayError:
            data = None
        content = None if data is None else _inline(file, data)
        return content or self._link(file)

    async def _read(self, file: FileMetadata) -> bytes | None:
        size = await self.storage.size(file.internal_name)
        if size is None or size > min(INLINE_LIMIT, self._left):
            return None
        self._left -= size
        return await read_all(self.storage, file, size)

    def _link(self, file: FileMetadata) -> Json:
        if not is_version_at_least(self.version, LINKS):
            return text_content(f"{file.original_name}: {uri_of(file.id)}")
        return {"type": "resource_link", **described(file)}


async def read_all(storage: Storage, file: FileMetadata, size: int) -> bytes:
    """All of its bytes. Raises StorageAwayError."""
    return b"".join([piece async for piece in storage.read(file.internal_name, 0, size)])


def resource_of(file: FileMetadata, data: bytes) -> Json:
    """What a file holds, as the contents of a resource."""
    text = _text_of(file, data)
    held = {"blob": b64encode(data).decode()} if text is None else {"text": text}
    return {"uri": uri_of(file.id), "mimeType": file.mimetype, **held}


def described(file: FileMetadata) -> Json:
    """A file as a resource, but not what it holds."""
    uri = uri_of(file.id)
    return {"uri": uri, "name": file.original_name or uri, "mimeType": file.mimetype}


def uri_of(file_id: UUID) -> str:
    """Under which it can be read."""
    return f"{SCHEME}{file_id}"


def id_in(uri: str) -> UUID | None:
    """The file that a URI of ours names."""
    try:
        return UUID(uri.removeprefix(SCHEME)) if uri.startswith(SCHEME) else None
    except ValueError:
        return None


def _inline(file: FileMetadata, data: bytes) -> Json | None:
    """What of its kind clients can show; None: nothing."""
    kind = file.mimetype.partition("/")[0]
    if kind in {"image", "audio"}:
        return {"type": kind, "data": b64encode(data).decode(), "mimeType": file.mimetype}
    if _text_of(file, data) is None:
        return None
    return {"type": "resource", "resource": resource_of(file, data)}


def _text_of(file: FileMetadata, data: bytes) -> str | None:
    kind, _, name = file.mimetype.partition(";")[0].strip().lower().partition("/")
    if kind != "text" and not (kind == "application" and name.endswith(TEXTS)):
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
