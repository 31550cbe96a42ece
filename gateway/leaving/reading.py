"""Reads page by page what a user has, for the archive that he takes along."""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from attrs import define, field
from databases import Database

from gateway.files.storage import Storage
from gateway.leaving.archive import Archive, new_archive
from gateway.leaving.kinds import CHATS, FILES, PROFILE, TAKEN, TOLD, Kind
from gateway.web.paging import Slice, select_page
from shared.codec.converter import dump
from shared.postgres.pool import columns, connect

FORMAT, VERSION = "genai-account", 1
MANIFEST = "manifest.json"
PAGE = Slice(500, 0, 1024 * 1024)
OF_PAGES = {"bytes", "place", "found", "all_bytes", "so_far"}
LEFT_OUT = [
    "passwords and their hashes",
    "keys and metadata of model providers, credentials of model configs",
    "headers of MCP servers and A2A agents, and tokens of logins there",
    "tokens of agents, API keys, refresh tokens and one-time tokens",
    "entries of the audit log",
]
CONSISTENCY = (
    "Read page by page while the account was in use: what was added, changed or deleted meanwhile"
    " may be in it or not."
)

type Row = dict[str, Any]
type KeepAlive = Callable[[], Awaitable[None]]


@define
class Reading:
    """An export that goes on."""

    database: Database
    storage: Storage
    user_id: UUID
    keep: KeepAlive
    """Called with each page and piece: somebody waits for it still."""
    counts: Counter[str] = field(factory=Counter)
    without_bytes: list[UUID] = field(factory=list)

    async def pieces(self) -> AsyncGenerator[bytes]:
        """The archive. Raises DatabaseAwayError, StorageAwayError."""
        with new_archive() as archive:
            for kind in (*TAKEN, *TOLD):
                async for piece in archive.add(kind.entry, self._lines(kind)):
                    yield piece
            async for piece in self._files(archive):
                yield piece
            # Last: whatever is cut off has none.
            async for piece in archive.add(MANIFEST, self._manifest()):
                yield piece
            yield archive.end()

    async def _lines(self, kind: Kind) -> AsyncGenerator[bytes]:
        async for rows in self._pages(kind):
            self.counts[kind.name] += len(rows)
            yield b"".join(dump(_told(row)) + b"\n" for row in rows)

    async def _pages(self, kind: Kind) -> AsyncIterator[list[Row]]:
        if not kind.of_chat:
            async for rows in self._read(kind, {}):
                yield rows
            return
        async for chats in self._read(CHATS, {}):
            for chat in chats:
                async for rows in self._read(kind, {"session_id": chat["session_id"]}):
                    yield rows

    async def _read(self, kind: Kind, of: Row) -> AsyncIterator[list[Row]]:
        await self.keep()
        async for rows in read_pages(self.database, self.user_id, kind, of):
            yield rows
            await self.keep()

    async def _files(self, archive: Archive) -> AsyncIterator[bytes]:
        async for rows in self._read(FILES, {}):
            for row in rows:
                size = await self.storage.size(row["after_name"])
                if size is None:
                    self.without_bytes.append(row["id"])
                    continue
                chunks = self._kept(self.storage.read(row["after_name"], 0, size))
                async for piece in archive.add(f"files/{row['id']}", chunks, is_packed=False):
                    yield piece

    async def _kept(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        async for chunk in chunks:
            await self.keep()
            yield chunk

    async def _manifest(self) -> AsyncGenerator[bytes]:
        async for [profile] in self._read(PROFILE, {}):
            yield dump(
                {
                    "format": FORMAT,
                    "version": VERSION,
                    "exported_at": datetime.now(UTC),
                    "user": {"id": self.user_id, "username": profile["username"]},
                    "counts": dict(self.counts),
                    "files_without_bytes": self.without_bytes,
                    "left_out": LEFT_OUT,
                    "consistency": CONSISTENCY,
                }
            )


async def read_pages(
    database: Database, owner: UUID, kind: Kind, of: Row
) -> AsyncIterator[list[Row]]:
    """The rows of a kind of thing of the owner's, page by page. Raises DatabaseAwayError."""
    position = dict(kind.first)
    while True:
        values = {"owner": owner, **of, **position}
        async with connect(database) as connection:
            page = await select_page(connection, kind.sql, values, PAGE, columns)
        rows = page.things()
        if rows:
            yield rows
            position = {name: rows[-1][name] for name in position}
        if not page.has_more:
            return


def _told(row: Row) -> Row:
    return {
        name: value
        for name, value in row.items()
        if name not in OF_PAGES and not name.startswith("after_")
    }
