"""What users may call, whether it has changed: asked every second, once for all who listen here."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from databases import Database

from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)

ASK_SECONDS = 1.0


class Changes:
    """Tells who listens here, whichever process has made an agent or a flow come, change or go."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: defaultdict[UUID, set[asyncio.Event]] = defaultdict(set)
        self._states: dict[UUID, str] = {}

    @asynccontextmanager
    async def of(self, owner: UUID) -> AsyncIterator[AsyncIterator[str]]:
        """What stands for all that the owner may call: now, and each time that it has changed."""
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

    async def _follow(self, owner: UUID, is_told: asyncio.Event) -> AsyncIterator[str]:
        known: str | None = None
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
            found = await select_states(self._database, owners)
        except DatabaseAwayError as error:
            logger.warning("whether tools have changed can't be asked: %s", error)
            return
        for owner, state in found.items():
            if owner in self._listeners and self._states.get(owner) != state:
                self._states[owner] = state
                for is_told in self._listeners[owner]:
                    is_told.set()


async def select_states(database: Database, owners: Sequence[UUID]) -> dict[UUID, str]:
    """For each owner what is another one when a flow, or an active agent, is new, other or gone."""
    sql = """
        SELECT owner, md5(concat(
            (
                SELECT string_agg(concat(id, updated_at), ',' ORDER BY id)
                FROM usable_agents(owner) WHERE is_active
            ),
            ';',
            (
                SELECT string_agg(concat(id, updated_at), ',' ORDER BY id)
                FROM usable_flows(owner)
            )
        )) AS state
        FROM unnest(CAST(:owners AS uuid[])) AS owner
    """
    async with connect(database) as connection:
        rows = await connection.fetch_all(sql, {"owners": [*owners]})
    return {row["owner"]: row["state"] for row in rows}
