"""What users have, whether it has changed: asked every second, once for all who listen here."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from databases import Database
from databases.core import Connection

from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)

ASK_SECONDS = 1.0


class Changes[T]:
    """Tells who listens here, whichever process has changed something."""

    def __init__(
        self,
        database: Database,
        select: Callable[[Connection, Sequence[UUID]], Awaitable[Mapping[UUID, T]]],
    ) -> None:
        """What stands for all that is looked at is selected for all owners at once."""
        self._database = database
        self._select = select
        self._listeners: defaultdict[UUID, set[asyncio.Event]] = defaultdict(set)
        self._states: dict[UUID, T] = {}

    @asynccontextmanager
    async def of(self, owner: UUID) -> AsyncIterator[AsyncIterator[T]]:
        """What stands for all of the owner's: now, and each time that it has changed."""
        is_told = asyncio.Event()
        self._listeners[owner].add(is_told)
        try:
            if owner not in self._states:
                await self._ask(owner)
            yield self._follow(owner, is_told)
        finally:
            self._listeners[owner].discard(is_told)
            if not self._listeners[owner]:
                del self._listeners[owner]
                self._states.pop(owner, None)

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            await asyncio.sleep(ASK_SECONDS)
            if self._listeners:
                await self._ask(*self._listeners)

    async def _follow(self, owner: UUID, is_told: asyncio.Event) -> AsyncIterator[T]:
        known: T | None = None
        while True:
            is_told.clear()
            state = self._states.get(owner)
            if state is not None and state != known:
                known = state
                yield state
            else:
                await is_told.wait()

    async def _ask(self, *owners: UUID) -> None:
        try:
            async with connect(self._database) as connection:
                found = await self._select(connection, owners)
        except DatabaseAwayError as error:
            logger.warning("what has changed can't be asked: %s", error)
            return
        for owner, state in found.items():
            if owner in self._listeners and self._states.get(owner) != state:
                self._states[owner] = state
                for is_told in self._listeners[owner]:
                    is_told.set()
