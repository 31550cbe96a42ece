"""Where the bytes of files are: a folder, or a bucket of S3 or of what speaks like it.

Objects have the internal names of their files, as those of the original installation do.
"""

import asyncio
import logging
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC

from attrs import frozen
from obstore import delete_async, get_range_async, head_async, put_async
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from gateway.web.errors import StorageFullError, UnavailableError
from shared.objects import open_store
from shared.settings.gateway import GatewaySettings

logger = logging.getLogger(__name__)

READ_BYTES = 2 * 1024 * 1024
S3_PART_BYTES = 5 * 1024 * 1024  # the smallest that S3 takes
FOLDER_PART_BYTES = 1024 * 1024  # the memory of larger ones is new each time
PARTS_AT_A_TIME = 2
HANDED_BYTES = 1024 * 1024  # four reads of the socket: each piece is handed to another thread
HANDED_CHUNKS = 64  # tiny ones would take many times their size
ANSWER_SECONDS = 0.8
FREE_BYTES = 16 * 1024 * 1024  # with less, a folder is as good as full
NOBODYS = "00000000-0000-0000-0000-000000000000"  # the name of no object
FULL = "The server has no room left for files: nothing was stored"

# What can stand in one folder: rows of the original may name anything.
# How obstore tells them: it has no class for them.
_full = re.compile(rf"\(os error (?:{ENOSPC}|{EDQUOT})\)")
_possible_name = re.compile(r"[^/\x00-\x1f]*[^/.\x00-\x1f][^/\x00-\x1f]*")


class StorageAwayError(UnavailableError):
    """The storage could not be asked, or did not do what it was told."""


@frozen
class Storage:
    """Objects by name; all work is done off the event loop.

    Raises StorageAwayError, and StorageFullError where there is no room for what is put.
    """

    store: LocalStore | S3Store

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> int:
        """Store what comes, a few parts in memory at a time, and return its size.

        What `chunks` raises is raised, and nothing is stored then.
        """
        size = 0
        part = S3_PART_BYTES if isinstance(self.store, S3Store) else FOLDER_PART_BYTES

        async def counted() -> AsyncIterator[bytes]:
            nonlocal size
            async for piece in _gathered(chunks):
                size += len(piece)
                yield piece

        with _telling():
            await put_async(
                self.store, name, counted(), chunk_size=part, max_concurrency=PARTS_AT_A_TIME
            )
        return size

    async def is_up(self) -> bool | str:
        """Whether the storage answers soon, or "full"; it is asked for what nobody has."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.size(NOBODYS)
                return "full" if await self._is_full() else True
        except (StorageAwayError, TimeoutError):
            return False

    async def _is_full(self) -> bool:
        """Whether there is hardly any room in a folder; of a bucket nobody can know."""
        if isinstance(self.store, S3Store):
            return False
        found = await asyncio.to_thread(os.statvfs, str(self.store.prefix))
        has_room = found.f_bavail * found.f_frsize >= FREE_BYTES
        return not has_room or (found.f_files > 0 and found.f_favail == 0)

    async def size(self, name: str) -> int | None:
        """How many bytes the object has, or None: there is none."""
        if not _possible_name.fullmatch(name):
            return None
        try:
            with _telling():
                meta = await head_async(self.store, name)
        except FileNotFoundError:
            return None
        return meta["size"]

    async def read(self, name: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `stop`.

        Asked for piece by piece: a slow reader keeps no request to the storage open.
        """
        for first in range(start, stop, READ_BYTES):
            last = min(first + READ_BYTES, stop)
            with _telling():
                chunk = await get_range_async(self.store, name, start=first, end=last)
            yield bytes(chunk)

    async def delete(self, *names: str) -> None:
        """Delete the objects that there are of these."""
        possible = filter(_possible_name.fullmatch, names)
        await asyncio.gather(*(self._delete(name) for name in possible))

    async def _delete(self, name: str) -> None:
        try:
            with _telling():
                await delete_async(self.store, name)
        except FileNotFoundError:
            logger.debug("file %s was gone already", name)


async def _gathered(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same in larger pieces."""
    some: list[bytes] = []
    size = 0
    async for chunk in chunks:
        some.append(chunk)
        size += len(chunk)
        if size >= HANDED_BYTES or len(some) == HANDED_CHUNKS:
            yield b"".join(some)
            some, size = [], 0
    if some:
        yield b"".join(some)


@contextmanager
def _telling() -> Iterator[None]:
    """Only errors of the store itself: those of the sender pass through it as they are."""
    try:
        yield
    except (BaseError, PermissionError) as error:
        if _full.search(str(error)):
            logger.warning("the file storage is full: %s", str(error).partition("\n")[0])
            raise StorageFullError(FULL) from error
        logger.warning("the file storage failed: %s: %s", type(error).__name__, error)
        raise StorageAwayError("The file storage can't be reached, please try again") from error


def create_storage(settings: GatewaySettings) -> Storage:
    """The bucket of FILES_URL, with what AWS_* says of it, or the folder, made if need be."""
    return Storage(open_store(settings.default_files_folder_name, settings.files_url))
