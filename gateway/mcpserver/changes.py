"""When what a user may call has changed: asked every second, once for all who listen here."""

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
        self._known: dict[UUID, str] = {}

    @asynccontextmanager
    async def of(self, owner: UUID) -> AsyncIterator[AsyncIterator[None]]:
        """What the owner may call has changed, each time that there is something, in the block."""
        has_changed = asyncio.Event()
        self._listeners[owner].add(has_changed)
        try:
            if owner not in self._known:
                await self._ask(owner)
            yield _each(has_changed)
        finally:
            self._listeners[owner].discard(has_changed)
            if not self._listeners[owner]:
                del self._listeners[owner]
                self._known.pop(owner, None)

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            await asyncio.sleep(ASK_SECONDS)
            if self._listeners:
                await self._ask(*self._listeners)

    async def _ask(self, *owners: UUID) -> None:
        try:
            found = await select_states(self._database, owners)
        except DatabaseAwayError as error:
            logger.warning("whether tools have changed can't be asked: %s", error)
            return
        for owner, state in found.items():
            if owner in self._listeners and self._known.setdefault(owner, state) != state:
                self._known[owner] = state
                for has_changed in self._listeners[owner]:
                    has_changed.set()


async def _each(has_changed: asyncio.Event) -> AsyncIterator[None]:
    while True:
        await has_changed.wait()
        has_changed.clear()
        yield


async def select_states(database: Database, owners: Sequence[UUID]) -> dict[UUID, str]:
    """For each owner what is another one when a flow, or an active agent, is new, other or gone."""
    sql = """
        SELECT owner, md5(concat(
            (
                SELECT string_agg(concat(id, updated_at), ',' ORDER BY id) FROM agents
                WHERE creator_id = owner AND is_active
            ),
            ';',
            (
                SELECT string_agg(concat(id, updated_at), ',' ORDER BY id) FROM agentworkflows
                WHERE creator_id = owner
            )
        )) AS state
        FROM unnest(CAST(:owners AS uuid[])) AS owner
    """
    async with connect(database) as connection:
        rows = await connection.fetch_all(sql, {"owners": [*owners]})
    return {row["owner"]: row["state"] for row in rows}
