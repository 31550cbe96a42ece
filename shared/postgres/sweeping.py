"""Deletes what is old, in each process: what another one has deleted is gone."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from databases import Database
from databases.core import Connection

from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)

ROUND_SECONDS = 3600.0
BATCH = 1000  # rows of each kind; each batch is a statement

type Delete = Callable[[Connection, int], Awaitable[int]]
"""Deletes so many at most; how many there were."""


async def sweep_for_ever(database: Database, what: str, delete: Delete) -> None:
    """Go round for ever."""
    while True:
        await asyncio.sleep(ROUND_SECONDS)
        await sweep(database, what, delete)


async def sweep(database: Database, what: str, delete: Delete) -> None:
    """Delete all that is old; where PostgreSQL is away, the next time."""
    try:
        async with connect(database) as connection:
            while await delete(connection, BATCH):
                pass
    except DatabaseAwayError as error:
        logger.warning("old %s are deleted later: %s", what, error)
