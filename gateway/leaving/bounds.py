"""An archive that is brought along, within bounds: whoever sends one may mean harm.

Names in it are only compared, and never become those of files. Sizes are those that its table of
contents says, and nothing more is unpacked of any entry.
"""

import zlib
from collections.abc import Iterator
from json import JSONDecodeError
from typing import IO
from zipfile import BadZipFile, LargeZipFile, ZipFile, ZipInfo

from attrs import frozen

from gateway.web.errors import BadRequestError
from shared.codec.text import read_json

MOST_ENTRIES = 50_000
READ_BYTES = 8 * 1024 * 1024  # at once: more than a table of contents of so many entries has
MOST_RATIO = 100  # of what is unpacked to what is packed, of all together
UNPACKED_FACTOR = 4  # of all together to the largest archive that is taken
LINE_BYTES = 16 * 1024 * 1024
LINES, LINES_BYTES = 200, 1024 * 1024  # read at a time

BAD = "This is no ZIP that an export has made: {}"

# What `zipfile` raises for what is damaged, or packed or encrypted in a way that is not ours.
DAMAGED = (
    BadZipFile,
    LargeZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    zlib.error,
)


@frozen
class _Bounded:
    """A file of which nobody reads much at once: `zipfile` holds a whole table of contents."""

    file: IO[bytes]

    def read(self, size: int = -1, /) -> bytes:
        """Raises BadZipFile."""
        if size > READ_BYTES:
            raise BadZipFile("its table of contents is too large")
        return self.file.read(READ_BYTES if size < 0 else size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go there."""
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        """Where it is."""
        return self.file.tell()

    def seekable(self) -> bool:
        """It is one of the disk."""
        return True

    def close(self) -> None:
        """Left to who has opened it."""


def open_archive(file: IO[bytes], most_bytes: int) -> ZipFile:
    """The archive in a file. Raises BadRequestError."""
    try:
        archive = ZipFile(_Bounded(file))
    except (*DAMAGED, OSError) as error:
        raise BadRequestError(BAD.format(str(error) or type(error).__name__)) from None
    entries = archive.infolist()
    unpacked = sum(each.file_size for each in entries)
    packed = sum(each.compress_size for each in entries)
    if len(entries) > MOST_ENTRIES:
        raise BadRequestError(BAD.format(f"it has more than {MOST_ENTRIES:,} entries"))
    if len({each.filename for each in entries}) < len(entries):
        raise BadRequestError(BAD.format("two entries have one name"))
    if unpacked > most_bytes * UNPACKED_FACTOR or unpacked > (packed + 1024 * 1024) * MOST_RATIO:
        raise BadRequestError(BAD.format("it would become too large"))
    return archive


def find_entry(archive: ZipFile, name: str) -> ZipInfo | None:
    """The entry of this name, if there is one."""
    return archive.NameToInfo.get(name)


def read_lines(archive: ZipFile, entry: ZipInfo) -> Iterator[list[object]]:
    """Some lines at a time, each as what its JSON says, or None where it is none, or too long.

    Raises BadRequestError.
    """
    try:
        with archive.open(entry) as opened:
            while lines := _some_lines(opened):
                yield [_parsed(line) for line in lines]
    except DAMAGED as error:
        raise BadRequestError(BAD.format(f"{entry.filename}: {error}")) from None


def _some_lines(opened: IO[bytes]) -> list[bytes]:
    lines: list[bytes] = []
    size = 0
    while len(lines) < LINES and size < LINES_BYTES and (line := opened.readline(LINE_BYTES)):
        lines.append(line)
        size += len(line)
    return lines


def _parsed(line: bytes) -> object:
    try:
        return read_json(line)
    except (JSONDecodeError, RecursionError):
        return None
