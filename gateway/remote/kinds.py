"""Kinds of things that users add by their URL: each is looked up, stored, and looked up again."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from attrs import frozen
from databases import Database
from databases.core import Connection

from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import Outbound
from gateway.remote.urls import read_url, show
from shared.postgres.pool import connect, transaction

logger = logging.getLogger(__name__)

MOST_FAILURES = 2  # of an active one in a row: a single one may be chance, or a server that slept
LONGEST_PAUSE = 900.0  # seconds
PAUSES = (0.0, 60.0, 120.0, 240.0, 480.0, LONGEST_PAUSE)  # seconds after the first failure in a row


@frozen
class Due:
    """A URL that is to be looked up again, for one of its owners."""

    url: str
    owner: UUID
    recalled: str | None = None
    """What spares a visit a detour; nothing, where none was a success lately."""


@frozen
class Kind[Found]:
    """How one kind is looked up, and what becomes of its rows, whoever owns them."""

    name: str
    visit: Callable[[Outbound, str, str | None], Awaitable[Found]]
    """What is found at a URL, by what is recalled of it. Raises UnreachableError."""
    select_due: Callable[[Connection], Awaitable[list[Due]]]
    """What is to be looked up again, each URL with every owner for whom it is."""
    activate: Callable[[Connection, str], Awaitable[list[UUID]]]
    """Mark what has this URL as active; gives its ids."""
    update: Callable[[Connection, list[UUID], Found], Awaitable[None]]
    """Store for these what was found."""
    count_failure: Callable[[Connection, str, int, Sequence[float]], Awaitable[None]]
    """Note that a look-up of this URL failed: so many in a row end its activity, and after each the
    next one is due after a longer pause, in seconds."""

    async def look_up(self, outbound: Outbound, url: str, recalled: str | None = None) -> Found:
        """What is found at a URL. Logs why there is nothing and raises UnreachableError."""
        try:
            read_url(url)  # one that was stored by others may be none
            return await self.visit(outbound, url, recalled)
        except UnreachableError as error:
            logger.info("%s %s: %s", self.name, show(url), error)
            raise

    async def look_up_again(
        self, database: Database, outbound: Outbound, url: str, recalled: str | None = None
    ) -> None:
        """Look a URL up for all who own something there. Raises DatabaseAwayError."""
        try:
            found = await self.look_up(outbound, url, recalled)
        except UnreachableError:
            async with connect(database) as connection:
                await self.count_failure(connection, url, MOST_FAILURES, PAUSES)
            return
        async with connect(database) as connection, transaction(connection):
            await self.update(connection, await self.activate(connection, url), found)
