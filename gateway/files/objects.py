"""Objects of the storage, and PostgreSQL's notes of those that no row of `files` stands for."""

import logging
from collections.abc import AsyncIterator

from attrs import frozen
from databases import Database

from gateway.files.storage import Storage, StorageAwayError
from gateway.files.stray_queries import delete_strays, insert_upload
from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)


@frozen
class Objects:
    """Noted before they are there, until a row stands for them or they are gone.

    So nothing that dies on the way leaves one for ever: `Sweep` removes what notes name.
    """

    database: Database
    storage: Storage

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> int:
        """Store what comes and return its size; `insert_file` makes it a file.

        Raises what `Storage.put` does, and DatabaseAwayError.
        """
        async with connect(self.database) as connection:
            await insert_upload(connection, name)
        return await self.storage.put(name, chunks)

    async def remove(self, *names: str) -> None:
        """Remove objects that are noted; those that can't be removed now are by a sweep."""
        try:
            await self.remove_now(*names)
        except (StorageAwayError, DatabaseAwayError) as error:
            logger.warning("%d objects of the storage are removed later: %s", len(names), error)

    async def remove_now(self, *names: str) -> None:
        """Remove objects that are noted. Raises StorageAwayError or DatabaseAwayError."""
        if names:
            await self.storage.delete(*names)
            async with connect(self.database) as connection:
                await delete_strays(connection, names)
