"""A ZIP that is made while it is sent: nothing of it is kept, neither in memory nor on disk."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

REGULAR = 0o100600 << 16  # a file that its owner reads and writes


class _Pieces:
    """What an archive is written to; it can't seek, so sizes come behind what they are of."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        """Keep it until it is taken."""
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """There is nothing behind it."""

    def close(self) -> None:
        """Nothing holds it open."""

    def take(self) -> bytes:
        """What has been written since the last time."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


class Archive:
    """Entries one after another, of any size (ZIP64); compressed in a thread."""

    def __init__(self) -> None:
        self._pieces = _Pieces()
        self._zip = ZipFile(self._pieces, "w")

    async def add(
        self, name: str, chunks: AsyncGenerator[bytes], *, is_packed: bool = True
    ) -> AsyncIterator[bytes]:
        """The bytes of the archive that are an entry with these."""
        info = ZipInfo(name, datetime.now(UTC).timetuple()[:6])
        info.compress_type = ZIP_DEFLATED if is_packed else ZIP_STORED
        info.external_attr = REGULAR
        with self._zip.open(info, "w", force_zip64=True) as entry:
            async with aclosing(chunks):
                async for chunk in chunks:
                    await asyncio.to_thread(entry.write, chunk)
                    if piece := self._pieces.take():
                        yield piece
        yield self._pieces.take()

    def end(self) -> bytes:
        """The bytes of its table of contents."""
        self._zip.close()
        return self._pieces.take()


@contextmanager
def new_archive() -> Iterator[Archive]:
    """An archive; one that is not ended is thrown away."""
    archive = Archive()
    try:
        yield archive
    finally:
        archive.end()
