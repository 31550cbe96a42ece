"""Claiming requests that wait, as many as there is room for, and saying that it is done here."""

import asyncio
import logging
from uuid import UUID

import asyncpg
from databases import Database

from agent_bridge.requests import claim_queries
from agent_bridge.requests.claim_queries import ClaimedRequest
from agent_bridge.requests.running import Running
from shared.notifications.bus import Listener, Notifications
from shared.notifications.channels import WAITING_REQUESTS, bridges_channel, requests_channel
from shared.notifications.formats import Heartbeat, decode_waiting, encode_heartbeat, encode_waiting
from shared.postgres.pool import DatabaseAwayError, connect
from shared.settings.bridge import BridgeSettings

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 1.0
RESERVE = 1  # lanes for users who have nothing running, times as many as for all
POLL_SECONDS = 1.0  # finds what no notification announced


class Claiming:
    """Claims for one bridge, until it leaves."""

    def __init__(
        self,
        settings: BridgeSettings,
        database: Database,
        notifications: Notifications,
        bridge_id: UUID,
        running: Running,
    ) -> None:
        self._database = database
        self._notifications = notifications
        self._bridge_id = bridge_id
        self._running = running
        self._bridges = bridges_channel(settings)
        self._limit = settings.router_lanes
        self._claiming = asyncio.Lock()
        self._is_leaving = False

    async def claim(self) -> None:
        """Claim and start waiting requests for ever: at once when told, else every second."""
        own, is_named = requests_channel(self._bridge_id), False
        async with self._notifications.subscribe(WAITING_REQUESTS, own) as listener:
            while True:
                await self._claim_and_start(listener)
                if is_named and not self._room:  # others may have some
                    self._notifications.publish(WAITING_REQUESTS, encode_waiting(None))
                is_named = await _next_notification(listener)

    async def send_heartbeats(self) -> None:
        """Tell the gateways every second, for ever, that requests are claimed here."""
        while True:
            if not self._is_leaving:
                self._notifications.publish(
                    self._bridges, encode_heartbeat(Heartbeat(self._bridge_id))
                )
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def leave(self) -> None:
        """Claim no more, and tell the gateways."""
        async with self._claiming:
            self._is_leaving = True
        leaving = Heartbeat(self._bridge_id, is_leaving=True)
        self._notifications.publish(self._bridges, encode_heartbeat(leaving))

    async def _claim_and_start(self, listener: Listener) -> None:
        """Claim as much as there is room for; whoever makes more of either tells the listener."""

        def on_end() -> None:
            listener.put(None)  # the next one of this session, or of those that had no lane

        async with self._claiming:
            if self._room > 0:
                for request in await self._claim(self._room):
                    self._running.start(request, on_end)
            if 0 < self._reserve <= self._limit:
                for request in await self._claim(self._reserve, most_running=0):
                    self._running.start(request, on_end)

    @property
    def _room(self) -> int:
        """How many more requests can be claimed, whosever they are."""
        return 0 if self._is_leaving else self._limit - len(self._running)

    @property
    def _reserve(self) -> int:
        """How many more of users who have none running: they wait for no lane of others."""
        return 0 if self._is_leaving else (1 + RESERVE) * self._limit - len(self._running)

    async def _claim(
        self, limit: int, most_running: int = claim_queries.ANY_NUMBER
    ) -> list[ClaimedRequest]:
        while True:
            try:
                async with connect(self._database) as connection:
                    return await claim_queries.claim_requests(
                        connection, self._bridge_id, limit, most_running
                    )
            except asyncpg.UniqueViolationError:
                continue  # another bridge has just won one of the sessions
            except DatabaseAwayError as error:
                logger.warning("no requests can be claimed: %s", error)
                return []


async def _next_notification(listener: Listener) -> bool:
    """Wait to be told, but not longer than a poll; several that came meanwhile count as one.

    Returns whether a request was named: perhaps this bridge alone was told of it.
    """
    named = [decode_waiting(message) for message in await listener.get_all(POLL_SECONDS)]
    return any(named)
