"""Looks after the sessions that have a socket here: notifications may be lost, PostgreSQL knows."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from databases import Database

from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)

WATCH_SECONDS = 2.0

type Told = Callable[[int | None], None]
"""Called with the last seq that a session has given out; None: there is no such session."""


class Watch:
    """Asks PostgreSQL every two seconds, once for all sockets, how far their sessions are."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watched: dict[UUID, set[Told]] = {}

    @contextmanager
    def watch(self, session_id: UUID, told: Told) -> Iterator[None]:
        """Have `told` called for this session until the block ends."""
        self._watched.setdefault(session_id, set()).add(told)
        try:
            yield
        finally:
            self._watched[session_id].discard(told)
            if not self._watched[session_id]:
                del self._watched[session_id]

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if self._watched:
                await self._ask()

    async def _ask(self) -> None:
        asked = list(self._watched)
        try:
            last_seqs = await select_last_seqs(self._database, asked)
        except DatabaseAwayError as error:
            logger.warning("sessions can't be looked after: %s", error)
            return
        for session_id in asked:
            for told in list(self._watched.get(session_id, ())):
                told(last_seqs.get(session_id))


async def select_last_seqs(database: Database, session_ids: list[UUID]) -> dict[UUID, int]:
    """The last seq of each session that exists."""
    sql = """
        SELECT session_id, last_seq FROM chatconversations
        WHERE session_id = ANY(:session_ids)
    """
    async with connect(database) as connection:
        rows = await connection.fetch_all(sql, {"session_ids": session_ids})
    return {row["session_id"]: row["last_seq"] for row in rows}
