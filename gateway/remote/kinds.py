"""Kinds of things that users add by their URL: each is looked up, stored, and looked up again."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from attrs import field, frozen
from databases import Database
from databases.core import Connection

from gateway.remote.credentials import NO_HEADERS, Credentials, Values
from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import Outbound
from gateway.remote.urls import read_url, show
from shared.postgres.pool import connect, transaction
from shared.secrets import UndecryptableError, Vault

logger = logging.getLogger(__name__)

MOST_FAILURES = 2  # of an active one in a row: a single one may be chance, or a server that slept
LONGEST_PAUSE = 900.0  # seconds
PAUSES = (0.0, 60.0, 120.0, 240.0, 480.0, LONGEST_PAUSE)  # seconds after the first failure in a row


@frozen
class Place:
    """What one look-up is for: all that has a URL and is shown nothing, or a row by what it is."""

    url: str
    row: UUID | None = None


@frozen
class Recalled:
    """What a visit is made with."""

    version: str | None = None
    """What spares it a detour; nothing, where none was a success lately."""
    headers: Values = field(default=NO_HEADERS, repr=False)

    def credentials(self, url: str) -> Credentials | None:
        """What the server at this URL is shown."""
        return Credentials(url, self.headers) if self.headers else None


NOTHING_RECALLED = Recalled()


@frozen
class Kind[Found]:
    """How one kind is looked up, and what becomes of its rows, whoever owns them."""

    name: str
    visit: Callable[[Outbound, str, Recalled], Awaitable[Found]]
    """What is found at a URL, by what is recalled of it. Raises UnreachableError."""
    recall: Callable[[Connection, Vault, Place], Awaitable[Recalled]]
    """What it is visited with. Raises UndecryptableError."""
    select_due: Callable[[Connection], Awaitable[list[tuple[Place, UUID]]]]
    """The places that are to be looked up again, each with every owner for whom it is."""
    activate: Callable[[Connection, Place], Awaitable[list[UUID]]]
    """Mark what is there as active; gives its ids."""
    update: Callable[[Connection, list[UUID], Found], Awaitable[None]]
    """Store for these what was found."""
    count_failure: Callable[[Connection, Place, int, Sequence[float]], Awaitable[None]]
    """Note that a look-up failed there: so many in a row end its activity, and after each the
    next one is due after a longer pause, in seconds."""

    async def look_up(
        self, outbound: Outbound, url: str, recalled: Recalled = NOTHING_RECALLED
    ) -> Found:
        """What is found at a URL. Logs why there is nothing and raises UnreachableError."""
        try:
            read_url(url)  # one that was stored by others may be none
            return await self.visit(outbound, url, recalled)
        except UnreachableError as error:
            logger.info("%s %s: %s", self.name, show(url), error)
            raise

    async def look_up_again(
        self, database: Database, vault: Vault, outbound: Outbound, place: Place
    ) -> None:
        """Look a place up for all who own something there. Raises DatabaseAwayError."""
        try:
            async with connect(database) as connection:
                recalled = await self.recall(connection, vault, place)
            found = await self.look_up(outbound, place.url, recalled)
        except (UnreachableError, UndecryptableError) as error:
            if isinstance(error, UndecryptableError):
                logger.warning("%s %s is not looked up: %s", self.name, show(place.url), error)
            async with connect(database) as connection:
                await self.count_failure(connection, place, MOST_FAILURES, PAUSES)
            return
        async with connect(database) as connection, transaction(connection):
            await self.update(connection, await self.activate(connection, place), found)
