"""When each API key came last, and from where: noted in memory, and stored once a minute."""

import asyncio
import logging
from datetime import UTC, datetime
from uuid import UUID

from databases import Database

from gateway.keys.using_queries import Use, update_uses
from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)

STORE_SECONDS = 60.0


class Uses:
    """The last uses since they were stored; there are no more of them than there are keys."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._uses: dict[UUID, tuple[float, str]] = {}

    def note(self, key_id: UUID, at: float, address: str) -> None:
        """Note that a key came; the time in seconds since 1970."""
        self._uses[key_id] = (at, address)

    async def run(self) -> None:
        """Store them for ever."""
        while True:
            await asyncio.sleep(STORE_SECONDS)
            await self.store()

    async def store(self) -> None:
        """Store them; where PostgreSQL is away, the next time."""
        if not self._uses:
            return
        noted, self._uses = self._uses, {}
        uses = {
            id_: Use(datetime.fromtimestamp(at, UTC), address)
            for id_, (at, address) in noted.items()
        }
        try:
            async with connect(self._database) as connection:
                await update_uses(connection, uses)
        except DatabaseAwayError as error:
            logger.warning("the last uses of API keys are stored later: %s", error)
            self._uses = {**noted, **self._uses}
