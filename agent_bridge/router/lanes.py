"""Lanes: connections to the router that invoke one agent at a time and hear its answer.

Answers carry no id; the router sends them to whoever holds the invoke key. So each lane has a key
of its own, carries one request at a time, and is never used again once there is a doubt about it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from agent_bridge import metrics
from agent_bridge.router.frames import (
    MASTER_SERVER_BE,
    MASTER_SERVER_ML,
    UNREGISTERED,
    Departure,
    LaneFrame,
    Rejection,
    Reply,
    invoke_frame,
    parse_lane_frame,
)
from agent_bridge.router.skipped import skip
from shared.process.batching import Batcher
from shared.settings.bridge import BridgeSettings

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
CLOSE_SECONDS = 1.0
FLUSH_SECONDS = 1.0
FLUSHED = 1000  # answers behind one flush marker
KEPT = 4  # idle lanes for each that may be in use: to open one costs as much as a chat's statements


class RouterAwayError(Exception):
    """No connection to the router could be had; nothing was sent."""


class LaneLostError(Exception):
    """The connection broke, or said what can't be understood: the answer will not come."""


async def connect_to_router(
    settings: BridgeSettings, headers: dict[str, str], seconds: float = CONNECT_SECONDS
) -> ClientConnection:
    """Open a connection; to close it takes no longer. Raises RouterAwayError."""
    try:
        return await connect(
            settings.router_ws_url,
            additional_headers=headers,
            max_size=settings.router_max_frame_bytes,
            open_timeout=seconds,
            close_timeout=min(seconds, CLOSE_SECONDS),
            compression=None,
            proxy=None,
        )
    except (OSError, TimeoutError, WebSocketException) as error:
        raise RouterAwayError(f"the router can't be reached: {type(error).__name__}") from error


class Lane:
    """One connection with its own invoke key."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._invoked: str | None = None
        self._answer: asyncio.Future[Reply | Rejection] | None = None
        self._reading = asyncio.create_task(self._read())
        self.is_clean = True
        """Whether it can be used again; once it is not, it never is."""

    async def invoke(
        self, agent_uuid: str, payload: dict[str, Any], request_id: str = "", session_id: str = ""
    ) -> Reply | Rejection:
        """Call an agent and wait for its answer, for ever: the caller sets the limit.

        Raises LaneLostError. The lane stays clean only with a Reply.
        """
        if not self.is_clean:
            raise LaneLostError("the lane was closed before the request was sent")
        frame = invoke_frame(agent_uuid, payload, request_id, session_id)
        self._invoked = agent_uuid
        self._answer = asyncio.get_running_loop().create_future()
        answer: Reply | Rejection | None = None
        try:
            await self._connection.send(frame.decode())
            answer = await self._answer
        except ConnectionClosed as error:
            raise LaneLostError("the connection to the router was lost") from error
        finally:
            self._answer = None
            self.is_clean = self.is_clean and isinstance(answer, Reply)
        return answer

    def take(self, answer: Reply) -> None:
        """Have this answer, which has come another way and will not come here."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    async def close(self) -> None:
        """Close the connection; its key is never used again."""
        self.is_clean = False
        await self._connection.close()
        await self._reading

    async def _read(self) -> None:
        try:
            while self._hear(parse_lane_frame(await self._connection.recv())):
                pass
        except ConnectionClosed:
            pass
        self.is_clean = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(LaneLostError("the connection to the router was lost"))
        await self._connection.close()

    def _hear(self, frame: LaneFrame | None) -> bool:
        """Take a frame; False: the lane can't be trusted any more."""
        answer = self._answer
        is_waited_for = answer is not None and not answer.done()
        match frame:
            case Departure(agent_uuid):  # of whoever's name is a part of the lane's key
                if answer is not None and is_waited_for and agent_uuid == self._invoked:
                    answer.set_result(Rejection(UNREGISTERED, 0.0))
                return True
            case Reply() | Rejection() if answer is not None and is_waited_for:
                answer.set_result(frame)
                return True
            case None:
                skip("lane")
        return False  # nothing was asked, or it was answered already, or nobody understands it


class Lanes:
    """Lanes to the master agent; an idle one is kept for each user who had one lately.

    Never for another user: should the master agent answer twice, the second answer can at worst
    reach the user who asked. A lane to an agent carries one call; the next one is opened when that
    has ended, so that nobody waits for it.
    """

    def __init__(self, settings: BridgeSettings) -> None:
        self._settings = settings
        self._idle: dict[UUID, Lane] = {}
        self._fresh: dict[str, Lane] = {}
        """To agents that were called lately; nothing was sent over them."""
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._flush_lane: Lane | None = None
        self._marker = ""  # that is on its way
        # One after the other, as a lane invokes: a second one beside it would take its answer.
        self._flushes = Batcher(self._send_flush_marker, FLUSHED)
        self._closing: set[asyncio.Task[None]] = set()
        metrics.LANES_IDLE.set_function(lambda: len(self._idle) + len(self._fresh))

    @asynccontextmanager
    async def lend(self, owner: UUID) -> AsyncIterator[Lane]:
        """A clean lane for one request of this user. Raises RouterAwayError."""
        lane = self._idle.pop(owner, None)
        if lane is not None and not lane.is_clean:
            self._close(lane)
            lane = None
        lane = lane or await open_lane(self._settings, MASTER_SERVER_ML)
        try:
            with metrics.LANES_IN_USE.track_inprogress():
                yield lane
        finally:
            self._keep(owner, lane)

    @asynccontextmanager
    async def lend_to_agent(self, agent_id: str) -> AsyncIterator[Lane]:
        """A lane to an agent that nobody has used, for one call. Raises RouterAwayError.

        One that answers twice is heard once. The agent sees the lane's key: it has none of ours.
        """
        lane = self._fresh.pop(agent_id, None)
        if lane is not None and not lane.is_clean:
            self._close(lane)
            lane = None
        lane = lane or await open_lane(self._settings, agent_id, caller=MASTER_SERVER_BE)
        try:
            with metrics.LANES_IN_USE.track_inprogress():
                yield lane
        finally:
            self._close(lane)
            self._open_ahead(agent_id)

    async def flush(self, request_id: UUID) -> None:
        """Wait until the session's bridge has handled what the router said of a request before.

        So the log entries of a request stand before its answer. All who wait share a flush
        marker, which has a lane of its own; who comes while it is on its way waits for the next.
        """
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._flushes.do(request_id)
        except TimeoutError:
            logger.info("log entries may come after their answer: their flush marker is not back")

    def pass_marker(self, marker: str) -> bool:
        """What came before a flush marker is handled; False: it is another bridge's, to be echoed.

        Where the bridge that holds the session is this one, no echo has to go through the router.
        """
        if marker != self._marker or self._flush_lane is None:
            return False
        self._flush_lane.take(Reply(marker, 0.0))
        return True

    async def close(self) -> None:
        """Close all that are idle."""
        for opening in self._opening.values():
            opening.cancel()
        await asyncio.gather(*self._opening.values(), return_exceptions=True)
        for lane in (*self._idle.values(), *self._fresh.values()):
            self._close(lane)
        self._idle.clear()
        self._fresh.clear()
        if self._flush_lane is not None:
            self._close(self._flush_lane)
        await asyncio.gather(*self._closing)

    async def _send_flush_marker(self, request_ids: list[UUID]) -> list[None]:
        self._marker = marker = str(uuid4())
        payload = {"fence": marker, "requests": [str(each) for each in request_ids]}
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                lane = self._flush_lane or await open_lane(self._settings, MASTER_SERVER_BE)
                self._flush_lane = lane
                echo = await lane.invoke(MASTER_SERVER_BE, payload)
            lane.is_clean = lane.is_clean and echo == Reply(marker, 0.0)
        except (TimeoutError, LaneLostError, RouterAwayError) as error:
            logger.info("log entries may come after their answer: %r", error)
        if self._flush_lane is not None and not self._flush_lane.is_clean:
            self._close(self._flush_lane)
            self._flush_lane = None
        return [None] * len(request_ids)

    def _keep(self, owner: UUID, lane: Lane) -> None:
        if not lane.is_clean or owner in self._idle:
            self._close(lane)
            return
        self._idle[owner] = lane
        self._bound(self._idle)

    def _bound(self, idle: dict[Any, Lane]) -> None:
        if len(idle) > KEPT * self._settings.router_lanes:
            self._close(idle.pop(next(iter(idle))))

    def _open_ahead(self, agent_id: str) -> None:
        if agent_id not in self._opening and agent_id not in self._fresh:
            task = asyncio.create_task(self._open_fresh(agent_id))
            self._opening[agent_id] = task
            task.add_done_callback(lambda _: self._opening.pop(agent_id))

    async def _open_fresh(self, agent_id: str) -> None:
        try:
            lane = await open_lane(self._settings, agent_id, caller=MASTER_SERVER_BE)
        except RouterAwayError:
            return  # the next call finds out for itself
        self._fresh[agent_id] = lane
        self._bound(self._fresh)

    def _close(self, lane: Lane) -> None:
        task = asyncio.create_task(lane.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def open_lane(
    settings: BridgeSettings, agent_uuid: str, seconds: float = CONNECT_SECONDS, caller: str = ""
) -> Lane:
    """A lane of its own for one agent; the router tells it when that agent disconnects.

    The agent sees who calls: the back-end with its key, unless another name is given.
    """
    key = f"{caller or settings.master_be_api_key}:{agent_uuid}:{uuid4()}"
    connection = await connect_to_router(settings, {"x-custom-invoke-key": key}, seconds)
    return Lane(connection)
