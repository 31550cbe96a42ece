"""Looking after claims: renewed while they run here, dropped when they are lost, reclaimed from
bridges that are gone.
"""

import asyncio
import logging

from databases import Database

from agent_bridge.requests import claim_queries, queries
from agent_bridge.requests.ending import INTERRUPTED, TIMED_OUT, Endings
from agent_bridge.requests.queries import Overdue
from agent_bridge.requests.running import Running
from shared.domain.endings import Ending, failed
from shared.notifications.bus import Notifications
from shared.notifications.channels import CANCELLED_REQUESTS
from shared.notifications.formats import decode_cancelled
from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)

RENEW_SECONDS = claim_queries.LEASE.total_seconds() / 3
SWEEP_SECONDS = 1.0


class Upkeep:
    """The loops that look after what runs here, and what other bridges left."""

    def __init__(
        self, database: Database, notifications: Notifications, running: Running, endings: Endings
    ) -> None:
        self._database = database
        self._notifications = notifications
        self._running = running
        self._endings = endings

    async def drop_cancelled(self) -> None:
        """Stop working on what somebody else has ended, for ever."""
        async with self._notifications.subscribe(CANCELLED_REQUESTS) as listener:
            while True:
                claim_id = decode_cancelled(await listener.get())
                if claim_id is not None:
                    self._running.drop({claim_id})
                else:
                    await self._renew()  # what was missed shows there

    async def renew(self) -> None:
        """Renew the leases of what runs here, for ever."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            await self._renew()

    async def sweep(self) -> None:
        """End or give back what other bridges left behind, for ever."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await self._sweep()

    async def _renew(self) -> None:
        """Renew what runs here; a claim that no longer holds is worked on no more."""
        claims = self._running.claims
        if not claims:
            return
        try:
            async with connect(self._database) as connection:
                held = await claim_queries.renew_leases(connection, list(claims))
        except DatabaseAwayError as error:
            logger.warning("leases can't be renewed: %s", error)
            return
        self._running.drop(claims - held)

    async def _sweep(self) -> None:
        try:
            async with connect(self._database) as connection:
                overdue = await queries.select_overdue(connection)
        except DatabaseAwayError as error:
            logger.warning("nothing can be swept: %s", error)
            return
        for request in overdue:
            try:
                await self._reclaim(request)
            except Exception:
                logger.exception("request %s is overdue and can't be ended", request.id)

    async def _reclaim(self, request: Overdue) -> None:
        if request.is_late:
            outcome = failed(TIMED_OUT, "timed_out")
        elif request.was_sent:
            outcome = failed(INTERRUPTED, "interrupted")
        else:
            await self._endings.release(request.id, request.claim_id)
            return
        await self._endings.end_now([Ending(request, outcome)])
