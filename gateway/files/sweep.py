"""Removes what uploads and deletions that were cut short have left in the storage."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from obstore.store import S3Store

from gateway.files.objects import Objects
from gateway.files.storage import StorageAwayError
from gateway.files.stray_queries import claim_strays, select_internal_names
from gateway.files.unfinished import abort_unfinished, find_staged, remove_staged
from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)

FIRST_SECONDS = 30.0  # after the start: whoever comes with many others leaves them the machine
ROUND_SECONDS = 3600.0
AGE = timedelta(days=1)  # nothing younger is touched: it may be under way
BATCH = 100  # objects that are removed at a time


class Sweep:
    """Goes round for ever, in each gateway: what another one has removed is gone, and no fault."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def run(self) -> None:
        """Go round."""
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            await self.go_round()
            await asyncio.sleep(ROUND_SECONDS)

    async def go_round(self) -> None:
        """Remove what is old of both kinds; what can't be now is the next time."""
        try:
            unfinished = await self._remove_unfinished()
            strays = await self._remove_strays()
        except (StorageAwayError, DatabaseAwayError) as error:
            logger.warning("what is left in the file storage is removed later: %s", error)
            return
        if unfinished or strays:
            logger.info("%d unfinished uploads, %d objects without files", unfinished, strays)

    async def _remove_unfinished(self) -> int:
        store, before = self._objects.storage.store, datetime.now(UTC) - AGE
        if isinstance(store, S3Store):
            return await asyncio.to_thread(abort_unfinished, store, before)
        staged = await asyncio.to_thread(find_staged, store, before)
        if not staged:
            return 0
        # One may be a whole file: the original takes any suffix, `#1` too.
        async with connect(self._objects.database) as connection:
            names = await select_internal_names(connection, [each.id for each in staged])
        left = [each for each in staged if each.path.name not in names]
        await asyncio.to_thread(remove_staged, left)
        return len(left)

    async def _remove_strays(self) -> int:
        total = 0
        while True:
            async with connect(self._objects.database) as connection:
                names = await claim_strays(connection, AGE, BATCH)
            await self._objects.remove_now(*names)
            total += len(names)
            if len(names) < BATCH:
                return total
