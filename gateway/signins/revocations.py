"""What has ended before its time, in memory: whether a token is still good costs no query.

Who ends something tells all gateways by Redis. That may be lost, so PostgreSQL is asked every two
seconds what has ended since; where that fails for a while, each call asks it for itself.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from databases import Database
from databases.core import Connection

from shared.notifications.bus import Notifications
from shared.notifications.channels import REVOKED_CREDENTIALS
from shared.notifications.formats import decode_revoked, encode_revoked
from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)

ASK_SECONDS = 2.0
FRESH_SECONDS = 5.0  # since the last answer, that what is not known here has not ended
OVERLAP = timedelta(seconds=60)  # what a transaction has ended is seen when that is over
WHOLE_SECONDS = 600.0  # between two readings of all, which also forget

type Told = Callable[[UUID], None]
"""Called with each id that has ended, also with one that was told before."""


class Revocations:
    """The ids of sign-ins, API keys and users that have ended or changed, while it matters."""

    def __init__(self, database: Database, notifications: Notifications) -> None:
        self._database = database
        self._notifications = notifications
        self._ended: dict[UUID, datetime | None] = {}  # when; None: somebody has told it
        self._told: list[Told] = []
        self._since: datetime | None = None
        self._asked_at = -FRESH_SECONDS
        self._read_at = -WHOLE_SECONDS

    def tell(self, told: Told) -> None:
        """Have it called with whatever ends from now on."""
        self._told.append(told)

    def has_ended(self, id_: UUID) -> bool:
        """Whether it is known here that it has."""
        return id_ in self._ended

    @property
    def is_fresh(self) -> bool:
        """Whether what has ended is heard of: what is not known here has not ended."""
        return monotonic() - self._asked_at < FRESH_SECONDS

    async def is_over(self, connection: Connection, id_: UUID) -> bool:
        """Whether it has ended; PostgreSQL is asked only where it could not be for a while."""
        if id_ in self._ended:
            return True
        if self.is_fresh:
            return False
        sql = "SELECT EXISTS (SELECT FROM revocations WHERE id = :id)"
        return bool(await connection.fetch_val(sql, {"id": id_}))

    def publish(self, ids: Iterable[UUID]) -> None:
        """Tell everybody, here too, what has just been stored as ended."""
        for id_ in ids:
            self._note(id_)
            self._notifications.publish(REVOKED_CREDENTIALS, encode_revoked(id_))

    async def listen(self) -> None:
        """Note for ever what others publish; what is missed `ask` brings."""
        async with self._notifications.subscribe(REVOKED_CREDENTIALS) as listener:
            while True:
                id_ = decode_revoked(await listener.get())
                if id_ is not None:
                    self._note(id_)

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            await self.ask()
            await asyncio.sleep(ASK_SECONDS)

    async def ask(self) -> None:
        """Note what PostgreSQL knows."""
        begun = monotonic()
        is_whole = begun - self._read_at >= WHOLE_SECONDS
        since = None if is_whole or self._since is None else self._since - OVERLAP
        try:
            async with connect(self._database) as connection:
                rows = await select_revocations(connection, since)
        except DatabaseAwayError as error:
            logger.warning("what was revoked can't be asked: %s", error)
            return
        if is_whole:
            alive = {id_ for id_, _ in rows}
            self._ended = {id_: at for id_, at in self._ended.items() if id_ in alive}
            self._read_at = begun
        for id_, at in rows:
            self._since = at if self._since is None else max(at, self._since)
            if self._ended.get(id_) != at:
                self._note(id_, at)
        self._asked_at = begun

    def _note(self, id_: UUID, at: datetime | None = None) -> None:
        self._ended[id_] = at
        for told in self._told:
            told(id_)


async def select_revocations(
    connection: Connection, since: datetime | None
) -> list[tuple[UUID, datetime]]:
    """What has ended since then, or at all, of which tokens may still be about."""
    sql = """
        SELECT id, at FROM revocations
        WHERE forget_at > now() AND at > coalesce(CAST(:since AS timestamptz), '-infinity')
    """
    rows = await connection.fetch_all(sql, {"since": since})
    return [(row["id"], row["at"]) for row in rows]
