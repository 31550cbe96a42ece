"""Kinds of things that users add by their URL: each is looked up, stored, and looked up again."""

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from http import HTTPStatus
from random import uniform
from uuid import UUID

from attrs import frozen
from databases import Database
from databases.core import Connection

from gateway.remote.credentials import Credentials, Values
from gateway.remote.errors import NotLetInError, UnreachableError
from gateway.remote.outbound import Outbound
from gateway.remote.urls import read_url, show
from shared.postgres.pool import connect, transaction
from shared.secrets import UndecryptableError, Vault

logger = logging.getLogger(__name__)

MOST_FAILURES = 2  # of an active one in a row: a single one may be chance, or a server that slept
LONGEST_PAUSE = 900.0  # seconds
SHORT_SECONDS = 5.0  # of a short visit
WHOLE_SECONDS = 3600.0  # after which all is looked up that a short visit does not see
PAUSES = (0.0, 60.0, 120.0, 240.0, 480.0, LONGEST_PAUSE)  # seconds after the first failure in a row


def pause_of_whole() -> float:
    """Seconds after which something is looked up as a whole again: not all at the same time."""
    return WHOLE_SECONDS * uniform(0.75, 1.25)  # noqa: S311 (no secret)


@frozen
class Target:
    """What one look-up is for: all that has a URL and is sent no headers, or a row by its own."""

    url: str
    row: UUID | None = None


@frozen
class Due:
    """What is to be looked up again, for one of its owners."""

    target: Target
    owner: UUID
    recalled: str | None = None
    """What spares a visit a detour; nothing, where none was a success lately."""
    digest: str | None = None
    """What a short visit finds if nothing has changed; nothing, where a whole one is to be made."""


@frozen
class Kind[Found]:
    """How one kind is looked up, and what becomes of its rows, whoever owns them."""

    name: str
    visit: Callable[[Outbound, str, str | None, Credentials | None], Awaitable[Found]]
    """What is found at a URL, by what is recalled of it. Raises UnreachableError."""
    finds_the_same: Callable[[Outbound, str, str, str, Credentials | None], Awaitable[bool]]
    """Whether what is at a URL has a digest, by what is recalled; not, if that can't be said."""
    select_headers: Callable[[Connection, Vault, UUID], Awaitable[Values]]
    """What a row's server is sent. Raises UndecryptableError."""
    select_due: Callable[[Connection], Awaitable[Iterator[Due]]]
    """What is to be looked up again, each target with every owner for whom it is."""
    activate: Callable[[Connection, Target], Awaitable[list[UUID]]]
    """Mark a target as active; gives the ids of its rows."""
    update: Callable[[Connection, list[UUID], Found], Awaitable[None]]
    """Store for these what was found."""
    count_failure: Callable[[Connection, Target, int, Sequence[float]], Awaitable[None]]
    """Note that a look-up of a target failed: so many in a row end its activity, and after each the
    next one is due after a longer pause, in seconds."""
    note_refusal: Callable[[Connection, Target], Awaitable[None]]
    """Note that it failed because the target does not know who asks by what it is sent."""

    async def look_up(
        self,
        outbound: Outbound,
        url: str,
        recalled: str | None = None,
        headers: Values | None = None,
    ) -> Found:
        """What is found at a URL. Logs why there is nothing and raises UnreachableError."""
        try:
            read_url(url)  # one that was stored by others may be none
            credentials = Credentials(url, headers) if headers else None
            return await self.visit(outbound, url, recalled, credentials)
        except UnreachableError as error:
            logger.info("%s %s: %s", self.name, show(url), error)
            raise

    async def is_as_before(
        self, database: Database, vault: Vault, outbound: Outbound, due: Due
    ) -> bool:
        """Whether a short visit finds that nothing has changed. Raises DatabaseAwayError."""
        if due.digest is None or due.recalled is None:
            return False
        url = due.target.url
        try:
            headers = await self._read_headers(database, vault, due.target)
        except UnreachableError:
            return False
        credentials = Credentials(url, headers) if headers else None
        return await self.finds_the_same(outbound, url, due.recalled, due.digest, credentials)

    async def look_up_again(
        self,
        database: Database,
        vault: Vault,
        outbound: Outbound,
        target: Target,
        recalled: str | None = None,
    ) -> UnreachableError | None:
        """Look a target up for all who own something there; gives why it could not be.

        Raises DatabaseAwayError.
        """
        try:
            headers = await self._read_headers(database, vault, target)
            found = await self.look_up(outbound, target.url, recalled, headers)
        except UnreachableError as error:
            async with connect(database) as connection:
                await self.count_failure(connection, target, MOST_FAILURES, PAUSES)
                if isinstance(error, NotLetInError) and error.status == HTTPStatus.UNAUTHORIZED:
                    await self.note_refusal(connection, target)
            return error
        async with connect(database) as connection, transaction(connection):
            await self.update(connection, await self.activate(connection, target), found)
        return None

    async def _read_headers(
        self, database: Database, vault: Vault, target: Target
    ) -> Values | None:
        if target.row is None:
            return None
        try:
            async with connect(database) as connection:
                return await self.select_headers(connection, vault, target.row)
        except UndecryptableError as error:
            logger.warning("%s %s is not looked up: %s", self.name, show(target.url), error)
            raise UnreachableError("what it is to be sent can't be decrypted") from None
