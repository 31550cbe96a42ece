"""Counts seldom how many stored secrets `python -m shared.reencrypt` has yet to bring to their
newest form."""

import asyncio
import logging

from databases import Database

from agent_bridge import metrics
from shared.postgres.pool import DatabaseAwayError, connect
from shared.reencrypt.queries import KINDS, Kind, count_left
from shared.secrets import Vault

logger = logging.getLogger(__name__)

COUNTED_LIMIT = 10_000  # of each kind
SECONDS = 30.0  # between two looks while there are some
DONE_SECONDS = 600.0  # and while there are none: then all rows are read in vain


class StoredSecrets:
    """How many of each kind are in an older form, as far as they are counted."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._newest = vault.newest
        self._left: dict[Kind, int] = {}

    @property
    def left(self) -> int | None:
        """How many; None where nobody has looked yet."""
        return sum(self._left.values()) if self._left else None

    async def watch(self) -> None:
        """Look for ever."""
        while True:
            try:
                await self._count()
            except DatabaseAwayError as error:
                logger.warning("secrets in older forms are counted later: %s", error)
            await asyncio.sleep(DONE_SECONDS if self.left == 0 else SECONDS)

    async def _count(self) -> None:
        for kind in KINDS:
            async with connect(self._database) as connection:
                left = await count_left(connection, kind, self._newest, COUNTED_LIMIT)
            self._left[kind] = left
            metrics.SECRETS_TO_REENCRYPT.labels(kind.what).set(left)
