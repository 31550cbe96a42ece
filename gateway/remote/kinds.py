"""Kinds of things that users add by their URL: each is looked up, stored, and looked up again."""

import logging
from collections.abc import Awaitable, Callable

from attrs import frozen
from databases.core import Connection

from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import Outbound
from gateway.remote.urls import read_url, show

logger = logging.getLogger(__name__)


@frozen
class Kind[Found]:
    """How one kind is looked up, and what becomes of its rows, whoever owns them."""

    name: str
    visit: Callable[[Outbound, str], Awaitable[Found]]
    """What is found at a URL. Raises UnreachableError."""
    select_urls: Callable[[Connection], Awaitable[list[str]]]
    update: Callable[[Connection, str, Found], Awaitable[None]]
    """Store what was found at a URL, in a transaction."""
    deactivate: Callable[[Connection, str], Awaitable[None]]

    async def look_up(self, outbound: Outbound, url: str) -> Found:
        """What is found at a URL. Logs why there is nothing and raises UnreachableError."""
        try:
            read_url(url)  # one that was stored by others may be none
            return await self.visit(outbound, url)
        except UnreachableError as error:
            logger.info("%s %s: %s", self.name, show(url), error)
            raise
