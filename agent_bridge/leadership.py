"""Which bridge holds the router session: the one with a PostgreSQL advisory lock.

The lock lives on a connection of its own and is freed by the server when that ends: no clocks.
While PostgreSQL is away nobody can have the lock, so the session stays where it is: what the
router says meanwhile would be lost otherwise. Should two bridges hold it for a moment all the
same, the router speaks to the newer connection only.
"""

import asyncio
import logging
import random

from databases import Database

from agent_bridge import queries
from agent_bridge.router.lanes import RouterAwayError
from agent_bridge.router.session import Put, RouterLost, RouterSession
from shared.database import DatabaseAwayError, connect, in_own_task
from shared.locks import LEADER_LOCK, LOCK_ERRORS, connect_for_lock
from shared.settings import Settings

logger = logging.getLogger(__name__)

ATTEMPT_SECONDS = 0.5
HEARTBEAT_SECONDS = 1.0
SILENCE_SECONDS = 3.0  # after which the server takes the lock from a leader
FORGIVEN_SECONDS = 30.0  # a session away for longer may have missed agents that left
BACKOFF_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8)


class Leadership:
    """Competes for the lock for ever, and holds the router session while it has it."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        session: RouterSession,
        put: Put,
    ) -> None:
        self._settings = settings
        self._database = database
        self._session = session
        self._put = put
        self._holding: asyncio.Task[None] | None = None
        self._touching: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Be the leader whenever nobody else is."""
        try:
            while True:
                try:
                    await self._compete()
                except LOCK_ERRORS as error:
                    logger.warning("the leader's lock can't be had or kept: %r", error)
                    await self._pause(ATTEMPT_SECONDS)
        finally:
            await self._stop_holding()

    async def _compete(self) -> None:
        """Try to have the lock until its connection fails."""
        connection = await connect_for_lock(
            self._settings,
            "leader",
            # A leader that is frozen, or whose host is gone, says nothing any more.
            idle_session_timeout=str(int(SILENCE_SECONDS * 1000)),
        )
        try:
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LEADER_LOCK):
                await self._stop_holding()
                await self._pause(ATTEMPT_SECONDS)
            self._start_holding()
            while await connection.fetchval("SELECT true"):
                if self._touching is None or self._touching.done():
                    self._touching = in_own_task(self._touch())  # however long it takes
                await self._pause(HEARTBEAT_SECONDS)
        finally:
            connection.terminate()

    def _start_holding(self) -> None:
        if self._holding is None:
            logger.info("this bridge is the leader")
            self._holding = asyncio.create_task(self._hold_session())

    async def _stop_holding(self) -> None:
        if self._holding is not None:
            logger.info("this bridge is no longer the leader")
            self._holding.cancel()
            await asyncio.gather(self._holding, return_exceptions=True)
            self._holding = None

    async def _pause(self, seconds: float) -> None:
        """Sleep; should the holding have ended meanwhile, say why."""
        if self._holding is None:
            await asyncio.sleep(seconds)
            return
        await asyncio.wait({self._holding}, timeout=seconds)
        if self._holding.done():
            self._holding.result()

    async def _hold_session(self) -> None:
        await self._forget_after_long_absence()
        failures = 0
        while True:
            try:
                router_lost = await self._session.hold(self._touch)
                failures = 0
            except RouterAwayError as error:
                router_lost = failures == 0  # once for each outage
                failures += 1
                if router_lost:
                    logger.warning("%s, trying on", error)
            if router_lost:
                await self._put(RouterLost())
            longest = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
            await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311

    async def _forget_after_long_absence(self) -> None:
        """Agents may have left while nobody held the session."""
        while True:
            try:
                async with connect(self._database) as connection:
                    age = await queries.select_session_age(connection)
                break
            except DatabaseAwayError as error:
                logger.warning("how long the session was away is not known yet: %s", error)
                await asyncio.sleep(ATTEMPT_SECONDS)
        if age is None or age > FORGIVEN_SECONDS:
            await self._put(RouterLost())

    async def _touch(self) -> None:
        if not self._session.is_held:
            return
        try:
            async with connect(self._database) as connection:
                await queries.touch_router_session(connection)
        except DatabaseAwayError as error:
            logger.warning("the session's last sign of life was not noted: %s", error)
