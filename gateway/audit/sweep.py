"""Deletes entries that are old, in each gateway: what another one has deleted is gone."""

import asyncio
import logging

from databases import Database

from gateway.audit.queries import prune
from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)

ROUND_SECONDS = 3600.0
BATCH = 1000  # rows; each batch is a statement


async def sweep_audit(database: Database, days: int) -> None:
    """Go round for ever; 0 days keep everything."""
    while True:
        await asyncio.sleep(ROUND_SECONDS)
        if days:
            await delete_old(database, days)


async def delete_old(database: Database, days: int) -> None:
    """Delete all that is older than so many days."""
    try:
        async with connect(database) as connection:
            while await prune(connection, days, BATCH):
                pass
    except DatabaseAwayError as error:
        logger.warning("old entries of the audit log are deleted later: %s", error)
