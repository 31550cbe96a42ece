"""How requests reach who came through a door: at once where it is this one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from typing import Any
from uuid import UUID, uuid4

from attrs import frozen

from agent_bridge import metrics
from agent_bridge.doors.connected import Connected
from agent_bridge.doors.connection import Answer, Connection
from agent_bridge.doors.frames import answer_frame, too_large
from agent_bridge.doors.seals import Seals
from agent_bridge.doors.watch import MasterWatch
from agent_bridge.router.frames import (
    MASTER_SERVER_BE,
    MASTER_SERVER_ML,
    NOT_ACTIVE,
    UNREGISTERED,
    Departure,
    Rejection,
    Reply,
    read_lane_frame,
)
from agent_bridge.router.lanes import Lane, LaneLostError, Lanes

FOREIGN = "The master agent that the router reaches did not come through a door"


@frozen
class DirectLane:
    """To the master agent, or an agent, at this door."""

    callee: Connection
    most_bytes: float = inf
    """Of an answer: as many as one may have that comes through the router."""

    async def invoke(
        self, agent_uuid: str, payload: dict[str, Any], request_id: str = "", session_id: str = ""
    ) -> Reply | Rejection:
        """Call it and wait for its answer, for ever. Raises LaneLostError."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        async def deliver(frame: Answer) -> None:
            size = len(answer_frame(key, frame)) if self.most_bytes < inf else 0
            if size > self.most_bytes:
                frame = too_large("answer", size, int(self.most_bytes))
            if not answer.done():
                answer.set_result(frame)

        if self.callee.ended.is_set():
            return Rejection(NOT_ACTIVE, 0.0)

        metadata = {"request_id": request_id, "session_id": session_id}
        key = f"{MASTER_SERVER_BE}:{self.callee.identity}:{uuid4()}"
        shown = await self.callee.call(key, payload, metadata, deliver)
        try:
            return _understood(read_lane_frame(await answer))
        finally:
            self.callee.forget(shown)


@frozen
class SealedLane:
    """To the master agent at another bridge's door, past whoever may have taken its place."""

    lane: Lane
    seals: Seals

    async def invoke(
        self, agent_uuid: str, payload: dict[str, Any], request_id: str = "", session_id: str = ""
    ) -> Reply | Rejection:
        """Call it and wait for its answer, for ever. Raises LaneLostError."""
        sealed = self.seals.seal(payload, request_id)
        answer = await self.lane.invoke(agent_uuid, sealed, request_id, session_id)
        if isinstance(answer, Rejection):
            return answer  # of the router, which knows no seal
        opened = self.seals.read_answer(answer.response, request_id)
        return Rejection(FOREIGN, 0.0) if opened is None else _understood(opened)


@frozen
class ClosedLane:
    """To nobody: another one than the master agent would hear it."""

    async def invoke(
        self, agent_uuid: str, payload: dict[str, Any], request_id: str = "", session_id: str = ""
    ) -> Reply | Rejection:
        """Say so."""
        return Rejection(FOREIGN, 0.0)


def _understood(frame: object) -> Reply | Rejection:
    match frame:
        case Departure():
            return Rejection(UNREGISTERED, 0.0)
        case Reply() | Rejection():
            return frame
    raise LaneLostError("the answer is of no known form")


@frozen
class DoorLanes:
    """Lanes to the master agent and to agents, wherever they have come in."""

    connected: Connected
    seals: Seals
    watch: MasterWatch
    through_router: Lanes
    most_bytes: int
    """Of an agent's answer."""

    @asynccontextmanager
    async def lend(self, owner: UUID) -> AsyncIterator[DirectLane | SealedLane | ClosedLane]:
        """A lane for one request of this user. Raises RouterAwayError."""
        if master := self.connected.find(MASTER_SERVER_ML):
            with metrics.LANES_IN_USE.track_inprogress():
                yield DirectLane(master)
        elif self.watch.is_foreign:
            yield ClosedLane()
        else:
            async with self.through_router.lend(owner) as lane:
                yield SealedLane(lane, self.seals)

    @asynccontextmanager
    async def lend_to_agent(self, agent_id: str) -> AsyncIterator[DirectLane | Lane]:
        """A lane for one call of an agent. Raises RouterAwayError."""
        if agent := self.connected.find(agent_id):
            with metrics.LANES_IN_USE.track_inprogress():
                yield DirectLane(agent, self.most_bytes)
        else:
            async with self.through_router.lend_to_agent(agent_id) as lane:
                yield lane

    async def flush(self, request_id: UUID) -> None:
        """Nothing is to be waited for: a door gives an answer after the entries before it."""

    def pass_marker(self, _marker: str) -> bool:
        """None is on its way."""
        return False

    async def close(self) -> None:
        """Close those to the router."""
        await self.through_router.close()
