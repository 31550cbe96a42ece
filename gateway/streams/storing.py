"""Storing messages: those that come while others are being stored wait for the next statement.

None waits for the chat of another: where somebody else writes to it, its message is stored alone.
"""

import asyncpg
from databases import Database

from gateway.streams.asking_queries import (
    Acceptance,
    Bounds,
    Inserted,
    NewRequest,
    insert_request,
    insert_requests,
)
from shared.postgres.pool import DatabaseAwayError, connect
from shared.process.batching import Batcher
from shared.settings.gateway import GatewaySettings

TOGETHER = 32  # messages that one statement stores
PATIENCE_SECONDS = 0.05  # for which others wait for it: it may wait for a lock


class Storing:
    """Stores messages and their requests, within the bounds of their owners."""

    def __init__(self, settings: GatewaySettings, database: Database) -> None:
        self._database = database
        self._bounds = Bounds(settings.open_requests_per_user, settings.monthly_budget)
        self._batcher = Batcher(
            self._store_all, TOGETHER, nobodys=(DatabaseAwayError,), patience=PATIENCE_SECONDS
        )

    async def store(self, new: NewRequest) -> Inserted:
        """What became of it. Raises DatabaseAwayError."""
        if new.question.history or new.question.file_ids:
            return await self._store_alone(new)
        inserted = await self._batcher.do(new)
        if inserted.acceptance is Acceptance.BUSY:
            return await self._store_alone(new)
        return inserted

    async def _store_all(self, new: list[NewRequest]) -> list[Inserted]:
        if len(new) == 1:
            return [await self._store_alone(new[0])]
        try:
            async with connect(self._database) as connection:
                return await insert_requests(connection, new, self._bounds, waits=False)
        except DatabaseAwayError as error:
            if isinstance(error.__cause__, asyncpg.LockNotAvailableError):
                raise error.__cause__ from None  # of one of them: each is tried alone
            raise

    async def _store_alone(self, new: NewRequest) -> Inserted:
        async with connect(self._database) as connection:
            return await insert_request(connection, new, self._bounds)
