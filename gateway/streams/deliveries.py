"""When answers were first given to a client: noted in memory, and stored once a second."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from databases import Database
from databases.core import Connection

from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)

STORE_SECONDS = 1.0
NOTED_LIMIT = 10_000  # answers; what comes beyond them, while PostgreSQL is away, has no time


class Deliveries:
    """The answers that were given out since they were stored: no statement for each."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: dict[UUID, datetime] = {}

    def note(self, request_id: UUID) -> None:
        """An answer goes to a client now; if it went before, that stays."""
        if len(self._noted) < NOTED_LIMIT:
            self._noted.setdefault(request_id, datetime.now(UTC))

    async def run(self) -> None:
        """Store them for ever."""
        while True:
            await asyncio.sleep(STORE_SECONDS)
            await self.store()

    async def store(self) -> None:
        """Store them; where PostgreSQL is away, the next time."""
        if not self._noted:
            return
        noted, self._noted = self._noted, {}
        try:
            async with connect(self._database) as connection:
                await update_delivered(connection, noted)
        except DatabaseAwayError as error:
            logger.warning("when answers were delivered is stored later: %s", error)
            self._noted = {**self._noted, **noted}


async def update_delivered(connection: Connection, times: Mapping[UUID, datetime]) -> None:
    """Note when answers were delivered, of those that were not yet.

    Requests are locked by their sessions, as by whoever ends some. Not before the end that they
    tell of, whichever machine's clock is late.
    """
    sql = """
        WITH delivered AS (
            SELECT id, greatest(at, ended_at) AS at
            FROM unnest(CAST(:ids AS uuid[]), CAST(:times AS timestamptz[])) AS told (id, at)
            JOIN requests USING (id) WHERE delivered_at IS NULL
            ORDER BY session_id, id FOR UPDATE OF requests
        )
        UPDATE requests SET delivered_at = delivered.at
        FROM delivered WHERE requests.id = delivered.id
    """
    await connection.execute(sql, {"ids": [*times], "times": [*times.values()]})
