"""Looks after the sessions that have a socket here: notifications may be lost, PostgreSQL knows."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import batched
from uuid import UUID

from attrs import frozen
from databases import Database

from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)

WATCH_SECONDS = 2.0
PORTION = 1_000  # sessions of a statement: what it finds is read in one turn of the loop

type Told = Callable[[int | None], None]
"""Called with the last seq that a session has given out; None: what is watched is no more."""


@frozen
class Watched:
    """A session, or a request of it: a chat that was deleted and begun anew has that no more."""

    session_id: UUID
    request_id: UUID | None = None


class Watch:
    """Asks PostgreSQL every two seconds, for a thousand sockets at once, how far they are."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watched: dict[Watched, set[Told]] = {}

    def watch(self, watched: Watched, told: Told) -> AbstractContextManager[None]:
        """Have `told` called for this session until the block ends."""
        return _Watching(self, watched, told)

    def add(self, watched: Watched, told: Told) -> None:
        """Have `told` called for this session."""
        self._watched.setdefault(watched, set()).add(told)

    def remove(self, watched: Watched, told: Told) -> None:
        """Have it called no longer."""
        self._watched[watched].discard(told)
        if not self._watched[watched]:
            del self._watched[watched]

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if self._watched:
                await self._ask()

    async def _ask(self) -> None:
        for asked in batched(list(self._watched), PORTION):
            try:
                last_seqs = await select_last_seqs(self._database, asked)
            except DatabaseAwayError as error:
                logger.warning("sessions can't be looked after: %s", error)
                return
            for watched in asked:
                for told in list(self._watched.get(watched, ())):
                    told(last_seqs.get(watched))


@frozen
class _Watching(AbstractContextManager[None]):
    """What each socket has one of: a generator would take far more."""

    _watch: Watch
    _watched: Watched
    _told: Told

    def __enter__(self) -> None:
        self._watch.add(self._watched, self._told)

    def __exit__(self, *_: object) -> None:
        self._watch.remove(self._watched, self._told)


async def select_last_seqs(database: Database, watched: Sequence[Watched]) -> dict[Watched, int]:
    """The last seq of the session of each that exists."""
    sql = """
        SELECT session_id, request_id, last_seq
        FROM unnest(CAST(:session_ids AS uuid[]), CAST(:request_ids AS uuid[]))
             AS watched (session_id, request_id)
        JOIN chatconversations USING (session_id)
        WHERE request_id IS NULL OR EXISTS (SELECT FROM requests WHERE id = request_id)
    """
    values = {
        "session_ids": [each.session_id for each in watched],
        "request_ids": [each.request_id for each in watched],
    }
    async with connect(database) as connection:
        rows = await connection.fetch_all(sql, values)
    return {Watched(session_id, request_id): last_seq for session_id, request_id, last_seq in rows}
