"""Claiming requests that wait, as many as there is room for, and saying that it is done here."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import batched
from time import monotonic
from uuid import UUID

import asyncpg
from databases import Database
from databases.core import Connection

from agent_bridge.requests import claim_queries
from agent_bridge.requests.claim_queries import ClaimedRequest
from agent_bridge.requests.running import Running
from agent_bridge.requests.taking_queries import claim_requests, take_requests
from shared.notifications.bus import Listener, Notifications
from shared.notifications.channels import WAITING_REQUESTS, bridges_channel, requests_channel
from shared.notifications.formats import Heartbeat, decode_waiting, encode_heartbeat, encode_waiting
from shared.postgres.pool import DatabaseAwayError, connect
from shared.settings.bridge import BridgeSettings

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 1.0
RESERVE = 1  # lanes for users who have nothing running, times as many as for all
TOGETHER = 64  # requests that one statement takes: who waits is looked through each time
PAUSE_SECONDS = 0.01  # between two looks where more waits, and there is little room
LITTLE_ROOM = 16  # for requests
POLL_SECONDS = 1.0  # between two looks for all: they find what no notification announced

type Claim = Callable[[Connection, UUID], Awaitable[list[ClaimedRequest]]]
"""Claims for a bridge. Raises asyncpg.UniqueViolationError where another one was faster."""


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
        self._is_behind = False
        """Whether something may wait that there was no room for."""

    async def claim(self) -> None:
        """Claim and start waiting requests for ever: at once when told, and all every second.

        However much it is told of: who stored a message may have died before he could tell.
        """
        own = requests_channel(self._bridge_id)
        told: list[UUID | None] = []
        looked = 0.0
        async with self._notifications.subscribe(WAITING_REQUESTS, own) as listener:
            while True:
                named = [each for each in told if each is not None]
                is_all = len(named) == len(told) and monotonic() < looked + POLL_SECONDS
                if not is_all or not await self._take_and_start(named, listener):
                    await self._claim_and_start(listener)
                    looked = monotonic()
                if named and not self._room:  # others may have some
                    self._notifications.publish(WAITING_REQUESTS, encode_waiting(None))
                told = await _next_told(listener, looked + POLL_SECONDS - monotonic())
                if self._is_behind and self._room < LITTLE_ROOM:  # what ends meanwhile makes more
                    await asyncio.sleep(looked + PAUSE_SECONDS - monotonic())
                    told += map(decode_waiting, listener.clear())

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

    async def _take_and_start(self, named: list[UUID], listener: Listener) -> bool:
        """Claim what was named, if there is room for all; False: something may be left to claim."""
        async with self._claiming:
            if self._is_behind or not 0 < len(named) <= self._room:
                return False
            return await self._take(listener, named) == len(named)

    async def _claim_and_start(self, listener: Listener) -> None:
        """Claim as much as there is room for; whoever makes more of either tells the listener."""
        async with self._claiming:
            self._is_behind = await self._claim(listener, self._room)
            if 0 < self._reserve <= self._limit:
                await self._claim(listener, self._reserve, most_running=0)

    async def _claim(
        self, listener: Listener, room: int, most_running: int = claim_queries.ANY_NUMBER
    ) -> bool:
        """Claim and start whose turn it is; whether there may be more than there is room for."""
        while room > 0:
            count = min(room, TOGETHER)
            claim = partial(claim_requests, limit=count, most_running=most_running)
            claimed = await self._start(listener, claim)
            if claimed < count:
                return False
            room -= claimed
        return True

    async def _take(self, listener: Listener, request_ids: Sequence[UUID]) -> int:
        """Claim these and start them; how many of them there were."""
        takes = [
            partial(take_requests, request_ids=some) for some in batched(request_ids, TOGETHER)
        ]
        return sum([await self._start(listener, take) for take in takes])

    async def _start(self, listener: Listener, claim: Claim) -> int:
        def on_end(may_go_on: bool) -> None:
            if may_go_on or self._is_behind:
                listener.put(None)  # the next one of this session, or of those that had no lane

        claimed = await self._claim_together(claim)
        for request in claimed:
            self._running.start(request, on_end)
        return len(claimed)

    async def _claim_together(self, claim: Claim) -> list[ClaimedRequest]:
        while True:
            try:
                async with connect(self._database) as connection:
                    return await claim(connection, self._bridge_id)
            except asyncpg.UniqueViolationError:
                continue  # another bridge has just won one of the sessions
            except DatabaseAwayError as error:
                logger.warning("no requests can be claimed: %s", error)
                return []

    @property
    def _room(self) -> int:
        """How many more requests can be claimed, whosever they are."""
        return 0 if self._is_leaving else self._limit - len(self._running)

    @property
    def _reserve(self) -> int:
        """How many more of users who have none running: they wait for no lane of others."""
        return 0 if self._is_leaving else (1 + RESERVE) * self._limit - len(self._running)


async def _next_told(listener: Listener, seconds: float) -> list[UUID | None]:
    """Wait to be told, but no longer, and return which requests wait.

    None: any may. Perhaps this bridge alone was told of those that are named.
    """
    return [decode_waiting(message) for message in await listener.get_all(seconds)]
