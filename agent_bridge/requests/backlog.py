"""Measures for the metrics how many requests wait and run in the whole installation."""

import asyncio
import logging

from databases import Database

from agent_bridge import metrics
from agent_bridge.requests.queries import Backlog, select_backlog
from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)

SECONDS = 3.0  # between two looks, however many ask for the metrics
UNKNOWN = Backlog(float("nan"), float("nan"), float("nan"))


async def measure_backlog(database: Database, *, wanted: bool) -> None:
    """Look for ever, if anybody can read it."""
    while True:
        if wanted:
            await _measure(database)
        await asyncio.sleep(SECONDS)


async def _measure(database: Database) -> None:
    try:
        async with connect(database) as connection:
            backlog = await select_backlog(connection)
    except DatabaseAwayError as error:
        logger.warning("how many requests are open is not known: %s", error)
        backlog = UNKNOWN
    metrics.REQUESTS_OPEN.labels("queued").set(backlog.queued)
    metrics.REQUESTS_OPEN.labels("running").set(backlog.running)
    metrics.OLDEST_QUEUED_SECONDS.set(backlog.oldest_seconds)
