"""Who holds the places at the router that those at this door ought to have.

The router gives a place to whoever claimed it last, and drops it when an older connection ends. So
a bridge knocks: only a bridge, at whose door the identity is, can answer.
"""

import asyncio
import logging
from collections.abc import Iterable
from time import monotonic
from uuid import uuid4

from agent_bridge.doors import metrics
from agent_bridge.doors.connected import Connected
from agent_bridge.doors.connection import Connection
from agent_bridge.doors.seals import Seals
from agent_bridge.router.frames import MASTER_SERVER_ML, NOT_ACTIVE, Rejection, Reply
from agent_bridge.router.lanes import Lane, LaneLostError, RouterAwayError, open_lane
from shared.settings.bridge import BridgeSettings

logger = logging.getLogger(__name__)

ROUND_SECONDS = 1.0
ANSWER_SECONDS = 1.5
AGENT_SECONDS = 30.0  # between two looks at the place of an agent
FRESH_SECONDS = 10.0  # in which a new connection is looked at each second


class Knocker:
    """Asks who holds an identity, on a lane of its own."""

    def __init__(self, settings: BridgeSettings, seals: Seals) -> None:
        self._settings = settings
        self._seals = seals

    async def is_ours(self, identity: str) -> bool | None:
        """Whether a bridge holds it, for whom came through its door; None: nobody does.

        Raises RouterAwayError.
        """
        nonce = uuid4().hex
        lane: Lane | None = None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                lane = await open_lane(self._settings, identity)
                answer = await lane.invoke(identity, {"knock": nonce})
        except TimeoutError:
            if lane is None:
                raise RouterAwayError("the router does not answer") from None
            return False
        except LaneLostError as error:
            raise RouterAwayError(str(error)) from None
        finally:
            if lane is not None:
                await lane.close()
        match answer:
            case Reply(response, _):
                return self._seals.is_proof(identity, nonce, response)
            case Rejection(message, _) if message == NOT_ACTIVE:
                return None
        return False


class MasterWatch:
    """Whether the master agent that the router reaches is the one that came through a door."""

    def __init__(self, knocker: Knocker) -> None:
        self._knocker = knocker
        self.state = "unknown"
        """`unknown`, `absent`, `ours` or `foreign`."""
        metrics.MASTER_IS_FOREIGN.set_function(lambda: self.is_foreign)

    @property
    def is_foreign(self) -> bool:
        """Whether somebody else has its place, who must be sent nothing."""
        return self.state == "foreign"

    async def look(self) -> None:
        """Look once."""
        try:
            is_ours = await self._knocker.is_ours(MASTER_SERVER_ML)
        except RouterAwayError:
            self._note("unknown")
            return
        states = {True: "ours", False: "foreign", None: "absent"}
        self._note(states[is_ours])

    def _note(self, state: str) -> None:
        if state != self.state:
            level = logging.ERROR if state == "foreign" else logging.INFO
            logger.log(level, "the master agent at the router is %s", state)
        self.state = state


class PlaceWatch:
    """Has those at this door take their places again, where they were lost."""

    def __init__(self, connected: Connected, knocker: Knocker, master: MasterWatch) -> None:
        self._connected = connected
        self._knocker = knocker
        self._master = master
        self._looked: dict[Connection, float] = {}

    async def watch(self) -> None:
        """Look for ever."""
        while True:
            await self._master.look()
            if (own := self._connected.find(MASTER_SERVER_ML)) and self._master.state in {
                "absent",
                "foreign",
            }:
                await own.renew()
            for connection in self._due():
                await self._look_at(connection)
            await asyncio.sleep(ROUND_SECONDS)

    def _due(self) -> Iterable[Connection]:
        now, here = monotonic(), set(self._connected)
        self._looked = {each: at for each, at in self._looked.items() if each in here}
        for each in here:
            pause = ROUND_SECONDS if now - each.since < FRESH_SECONDS else AGENT_SECONDS
            if now - self._looked.get(each, each.since) >= pause:
                self._looked[each] = now
                yield each

    async def _look_at(self, connection: Connection) -> None:
        try:
            is_ours = await self._knocker.is_ours(connection.identity)
        except RouterAwayError as error:
            logger.debug("the place of %s is not looked at: %s", connection.identity, error)
            return
        if not is_ours and not connection.ended.is_set():
            await connection.renew()
