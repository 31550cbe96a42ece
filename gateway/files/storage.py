"""Where the bytes of files are: a folder, or a bucket of S3 or of what speaks like it.

Objects are named by file id and by nothing that anybody sent.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from attrs import frozen
from obstore import delete_async, get_range_async, head_async, put_async
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from gateway.web.errors import UnavailableError
from shared.settings import Settings

logger = logging.getLogger(__name__)

READ_BYTES = 2 * 1024 * 1024
PART_BYTES = 5 * 1024 * 1024  # the smallest that S3 takes
PARTS_AT_A_TIME = 2
ANSWER_SECONDS = 0.8


class StorageAwayError(UnavailableError):
    """The storage could not be asked, or did not do what it was told."""


@frozen
class Storage:
    """Objects by file id; all work is done off the event loop. Raises StorageAwayError."""

    store: LocalStore | S3Store

    async def put(self, id_: UUID, chunks: AsyncIterator[bytes]) -> int:
        """Store what comes, a few parts in memory at a time, and return its size.

        What `chunks` raises is raised, and nothing is stored then.
        """
        size = 0

        async def counted() -> AsyncIterator[bytes]:
            nonlocal size
            async for chunk in chunks:
                size += len(chunk)
                yield chunk

        with _telling():
            await put_async(
                self.store,
                str(id_),
                counted(),
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_A_TIME,
            )
        return size

    async def is_up(self) -> bool:
        """Whether the storage answers soon; it is asked for what nobody has."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self.size(UUID(int=0)) is None
        except (StorageAwayError, TimeoutError):
            return False

    async def size(self, id_: UUID) -> int | None:
        """How many bytes the object has, or None: there is none."""
        try:
            with _telling():
                meta = await head_async(self.store, str(id_))
        except FileNotFoundError:
            return None
        return meta["size"]

    async def read(self, id_: UUID, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `stop`.

        Asked for piece by piece: a slow reader keeps no request to the storage open.
        """
        for first in range(start, stop, READ_BYTES):
            last = min(first + READ_BYTES, stop)
            with _telling():
                chunk = await get_range_async(self.store, str(id_), start=first, end=last)
            yield bytes(chunk)

    async def delete(self, *ids: UUID) -> None:
        """Delete the objects that there are of these."""
        await asyncio.gather(*(self._delete(id_) for id_ in ids))

    async def _delete(self, id_: UUID) -> None:
        try:
            with _telling():
                await delete_async(self.store, str(id_))
        except FileNotFoundError:
            logger.debug("file %s was gone already", id_)


@contextmanager
def _telling() -> Iterator[None]:
    """Only errors of the store itself: those of the sender pass through it as they are."""
    try:
        yield
    except (BaseError, PermissionError) as error:
        logger.warning("the file storage failed: %s: %s", type(error).__name__, error)
        raise StorageAwayError("The file storage can't be reached, please try again") from error


def create_storage(settings: Settings) -> Storage:
    """The bucket of FILES_URL, with what AWS_* says of it, or the folder, made if need be."""
    if settings.files_url is None:
        return Storage(LocalStore(settings.default_files_folder_name, mkdir=True))
    store = S3Store.from_url(
        settings.files_url,
        client_options={"connect_timeout": "5s", "timeout": "60s", "allow_http": True},
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=15)},
    )
    return Storage(store)
