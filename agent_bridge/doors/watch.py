"""Who holds the places at the router that those at this door ought to have.

The router gives a place to whoever claimed it last, and drops it when an older connection ends. So
a bridge knocks: only a bridge, at whose door the identity is, can answer.
"""

import asyncio
import logging
from collections.abc import Iterable
from enum import StrEnum
from itertools import batched
from time import monotonic
from uuid import uuid4

from agent_bridge import metrics
from agent_bridge.doors.connected import Connected
from agent_bridge.doors.connection import Connection
from agent_bridge.doors.seals import Seals
from agent_bridge.router.frames import MASTER_SERVER_ML, NOT_ACTIVE, UNREGISTERED, Rejection, Reply
from agent_bridge.router.lanes import Lane, LaneLostError, RouterAwayError, open_lane
from shared.settings.bridge import BridgeSettings

logger = logging.getLogger(__name__)

KNOCKER = "knock"
ROUND_SECONDS = 1.0
ANSWER_SECONDS = 1.5
TOGETHER = 16  # places that are looked at at a time
AGENT_SECONDS = 30.0  # between two looks at the place of an agent
FRESH_SECONDS = 10.0  # in which a new connection is looked at each second


class Holder(StrEnum):
    """Who holds a place at the router."""

    OURS = "ours"  # a bridge, for whom came through its door
    ABSENT = "absent"
    FOREIGN = "foreign"  # somebody who answers, and is no bridge
    SILENT = "silent"  # somebody who does not answer, perhaps a connection that is about to end
    UNKNOWN = "unknown"  # the router does not answer


LOST = frozenset({Holder.ABSENT, Holder.FOREIGN, Holder.SILENT})


class Knocker:
    """Asks who holds an identity, on a lane of its own."""

    def __init__(self, settings: BridgeSettings, seals: Seals) -> None:
        self._settings = settings
        self._seals = seals

    async def ask(self, identity: str) -> Holder:
        """Who holds the place of this identity."""
        nonce = uuid4().hex
        lane: Lane | None = None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                lane = await self._open(identity)
                asked = self._seals.ask(identity, nonce)
                answer = await lane.invoke(identity, {"knock": nonce, "asked": asked})
        except TimeoutError:
            return Holder.UNKNOWN if lane is None else Holder.SILENT
        except (LaneLostError, RouterAwayError):
            return Holder.UNKNOWN
        finally:
            if lane is not None:
                await lane.close()
        match answer:
            case Reply(response, _) if self._seals.is_proof(identity, nonce, response):
                return Holder.OURS
            case Rejection(message, _) if message in {NOT_ACTIVE, UNREGISTERED}:
                return Holder.ABSENT
        return Holder.FOREIGN

    async def _open(self, identity: str) -> Lane:
        """Whoever holds the place of an agent sees the key: it must not have the back-end's in it.

        The router lets nobody else ask for the master agent.
        """
        if identity == MASTER_SERVER_ML:
            return await open_lane(self._settings, identity)
        return await open_lane(self._settings, identity, caller=KNOCKER)


class MasterWatch:
    """Whether the master agent that the router reaches is the one that came through a door."""

    def __init__(self, knocker: Knocker) -> None:
        self._knocker = knocker
        self.holder = Holder.UNKNOWN
        metrics.MASTER_IS_FOREIGN.set_function(lambda: self.is_foreign)

    @property
    def is_foreign(self) -> bool:
        """Whether somebody else has its place, who must be sent nothing."""
        return self.holder is Holder.FOREIGN

    async def look(self) -> None:
        """Look once."""
        holder = await self._knocker.ask(MASTER_SERVER_ML)
        if holder is not self.holder:
            level = logging.ERROR if holder is Holder.FOREIGN else logging.INFO
            logger.log(level, "the place of the master agent at the router: %s", holder)
        self.holder = holder


class PlaceWatch:
    """Has those at this door take their places again, where they were lost."""

    def __init__(self, connected: Connected, knocker: Knocker, master: MasterWatch) -> None:
        self._connected = connected
        self._knocker = knocker
        self._master = master
        self._looked: dict[Connection, float] = {}

    async def watch_master(self) -> None:
        """Look for ever who is the master agent."""
        while True:
            await self._master.look()
            own = self._connected.find(MASTER_SERVER_ML)
            if own is not None and self._master.holder in LOST:
                await own.renew()
            await asyncio.sleep(ROUND_SECONDS)

    async def watch_agents(self) -> None:
        """Look for ever at the agents' places, some at a time: one may be silent."""
        while True:
            for some in batched(self._due(), TOGETHER):
                await asyncio.gather(*map(self._look_at, some))
            await asyncio.sleep(ROUND_SECONDS)

    def _due(self) -> Iterable[Connection]:
        now, here = monotonic(), set(self._connected)
        self._looked = {each: at for each, at in self._looked.items() if each in here}
        for each in here:
            if each.identity == MASTER_SERVER_ML:
                continue
            pause = ROUND_SECONDS if now - each.since < FRESH_SECONDS else AGENT_SECONDS
            if now - self._looked.get(each, each.since) >= pause:
                self._looked[each] = now
                yield each

    async def _look_at(self, connection: Connection) -> None:
        holder = await self._knocker.ask(connection.identity)
        if holder in LOST and not connection.ended.is_set():
            await connection.renew()
