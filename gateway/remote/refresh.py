"""Looks up again what users have added, in one gateway of all: who has a lease does it."""

import asyncio
import logging
from collections.abc import Sequence
from itertools import batched
from time import monotonic
from typing import Any

from attrs import field, frozen
from databases import Database

from gateway.remote.kinds import Due, Kind, Target
from gateway.remote.outbound import Outbound
from gateway.remote.shares import Shares
from gateway.remote.urls import show
from shared.postgres.leases import Lease, give_lease_back, take_lease
from shared.postgres.locks import REFRESH_LOCK
from shared.postgres.pool import DatabaseAwayError, connect
from shared.secrets import Vault
from shared.settings.gateway import GatewaySettings

logger = logging.getLogger(__name__)

LEASE_SECONDS = 15.0
HEARTBEAT_SECONDS = 5.0
GOODBYE_SECONDS = 1.0

SHORT_AT_A_TIME = 32
SHORT_PER_OWNER = 8
AT_ONCE = 100  # places that are put into the queues while nothing else is done


@frozen
class Place:
    """A target of a kind, and what is recalled of it."""

    kind: Kind[Any]
    target: Target
    due: Due = field(eq=False)


class Visits:
    """Short ones, and whole ones where these do not find all as before; each in their own slots."""

    def __init__(self, tasks: asyncio.TaskGroup, refresh: "Refresh") -> None:
        self._refresh = refresh
        self._whole = Shares(tasks, refresh.look_up_again)
        self._short = Shares(tasks, self._check, SHORT_AT_A_TIME, SHORT_PER_OWNER)

    def want(self, place: Place) -> None:
        """Have a place visited, unless that is going on."""
        shares = self._whole if place.due.digest is None else self._short
        shares.want(place, place.due.owner)

    async def _check(self, place: Place) -> None:
        if not await self._refresh.is_as_before(place):
            self._whole.want(place, place.due.owner)


class Refresh:
    """Looks up in rounds what is due, each target once for all its owners."""

    def __init__(
        self,
        settings: GatewaySettings,
        database: Database,
        outbound: Outbound,
        kinds: Sequence[Kind[Any]],
    ) -> None:
        self._kinds = kinds
        self._settings = settings
        self._database = database
        self._outbound = outbound
        self._vault = Vault(settings.encryption_keys)
        self._lease = Lease("refresh", LEASE_SECONDS, REFRESH_LOCK)

    async def run(self) -> None:
        """Begin one round after the other, while no other gateway does."""
        pause, next_round = self._settings.refresh_seconds, 0.0
        try:
            async with asyncio.TaskGroup() as tasks:
                visits = Visits(tasks, self)
                while True:
                    if await self._has_lease() and monotonic() >= next_round:
                        next_round = monotonic() + pause
                        await self.begin_round(visits)
                    await asyncio.sleep(min(HEARTBEAT_SECONDS, pause))
        finally:
            await self._give_back()

    async def _has_lease(self) -> bool:
        try:
            async with connect(self._database) as connection:
                return await take_lease(connection, self._lease) is None
        except DatabaseAwayError as error:
            logger.warning("the lease of the refresh can't be had or kept: %s", error)
            return False

    async def _give_back(self) -> None:
        try:
            async with asyncio.timeout(GOODBYE_SECONDS), connect(self._database) as connection:
                await give_lease_back(connection, self._lease)
        except (DatabaseAwayError, TimeoutError) as error:
            logger.warning("others wait for the end of this gateway's lease: %r", error)

    async def begin_round(self, visits: Visits) -> None:
        """Have all looked up that is due, and wait for none of it: what hangs delays no round."""
        try:
            async with connect(self._database) as connection:
                found = [(kind, await kind.select_due(connection)) for kind in self._kinds]
        except DatabaseAwayError as error:
            logger.warning("nothing can be looked up again: %s", error)
            return
        for kind, due in found:
            for some in batched(due, AT_ONCE):
                for one in some:
                    visits.want(Place(kind, one.target, one))
                await asyncio.sleep(0)  # others have the loop between them

    async def is_as_before(self, place: Place) -> bool:
        """Whether a short visit finds a place as it was; if that can't be said, it does not."""
        try:
            return await place.kind.is_as_before(
                self._database, self._vault, self._outbound, place.due
            )
        except DatabaseAwayError:
            return False
        except Exception:
            logger.exception("%s could not be visited", show(place.target.url))
            return False

    async def look_up_again(self, place: Place) -> None:
        """Look a place up, and log what goes wrong with it."""
        url = place.target.url
        try:
            await place.kind.look_up_again(
                self._database, self._vault, self._outbound, place.target, place.due.recalled
            )
        except DatabaseAwayError as error:
            logger.warning("what %s answered could not be stored: %s", show(url), error)
        except Exception:
            logger.exception("%s could not be looked up again", show(url))
