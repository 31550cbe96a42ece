"""Deletes sign-ins that are long over, in each gateway: what another one has deleted is gone."""

import asyncio
import logging

from databases import Database

from gateway.signins.queries import delete_old
from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)

ROUND_SECONDS = 3600.0
BATCH = 1000  # rows of each kind; each batch is a statement


async def sweep_sign_ins(database: Database) -> None:
    """Go round for ever."""
    while True:
        await asyncio.sleep(ROUND_SECONDS)
        try:
            async with connect(database) as connection:
                while await delete_old(connection, BATCH):
                    pass
        except DatabaseAwayError as error:
            logger.warning("old sign-ins are deleted later: %s", error)
