"""Calls of one agent by another one, or by the master agent: one connection for each caller."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from agent_bridge.doors.admission import Admission, CallVisitor
from agent_bridge.doors.closes import SERVICE_RESTART, TRY_AGAIN_LATER
from agent_bridge.doors.frames import (
    Called,
    Misunderstood,
    not_active,
    parse_call,
    too_large,
)
from agent_bridge.doors.refusals import note_refusal
from agent_bridge.doors.sending import send
from agent_bridge.router.frames import call_frame
from agent_bridge.router.lanes import connect_to_router
from agent_bridge.together import run_until_one_ends
from shared.codec.text import write_json
from shared.settings.bridge import BridgeSettings

logger = logging.getLogger(__name__)

FIRST_SECONDS = 10.0  # in which a call has to come that may be made
CALLERS_LIMIT = 100  # connections for calls of one agent


class Callers:
    """How many connections for its calls an agent has here; each that may call costs two."""

    def __init__(self) -> None:
        self._counts = Counter[UUID]()

    @contextmanager
    def counted(self, visitor: CallVisitor) -> Iterator[bool]:
        """Whether there may be one more, until the block ends; the master agent has any number."""
        caller = visitor.caller
        if caller is None:
            yield True
            return
        self._counts[caller] += 1
        try:
            yield self._counts[caller] <= CALLERS_LIMIT
        finally:
            self._counts[caller] -= 1
            if not self._counts[caller]:
                del self._counts[caller]


class Caller:
    """A connection for calls; once it has made one that it may, also one to the router.

    Anybody can name two agents, so nothing is done for who only does that. Answers are told apart
    by the key of the connection to the router, so each has one of its own.
    """

    def __init__(
        self,
        settings: BridgeSettings,
        admission: Admission,
        callers: Callers,
        client: ServerConnection,
        visitor: CallVisitor,
    ) -> None:
        self._settings = settings
        self._most = settings.master_max_frame_bytes
        self._admission = admission
        self._callers = callers
        self._client = client
        self._visitor = visitor

    async def serve(self) -> None:
        """Pass calls on and answers back, until either end is gone. Raises RouterAwayError."""
        first = await self._hear_first()
        if first is None:
            return
        with self._callers.counted(self._visitor) as has_room:
            if has_room:
                await self._serve_further(first)
                return
        note_refusal("calls", "an agent has too many calls under way", key=self._visitor.key)
        await self._client.close(TRY_AGAIN_LATER)

    async def _serve_further(self, first: bytes) -> None:
        key = {"x-custom-invoke-key": f"{self._visitor.key}:{uuid4()}"}
        upstream = await connect_to_router(self._settings, key)
        try:
            await upstream.send(first.decode())
            await run_until_one_ends(self._hear_client(upstream), self._hear_router(upstream))
        except ConnectionClosed:
            logger.debug("the router has closed the connection of a caller")
        finally:
            await upstream.close()

    async def _hear_first(self) -> bytes | None:
        """The first call that may be passed on; None: it does not come."""
        with suppress(ConnectionClosed, TimeoutError):
            while True:
                async with asyncio.timeout(FIRST_SECONDS):
                    text = await self._client.recv()
                if frame := await self._read(text):
                    return frame
        return None

    async def _hear_client(self, upstream: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async for text in self._client:
                if frame := await self._read(text):
                    await upstream.send(frame.decode())

    async def _read(self, text: str | bytes) -> bytes | None:
        """What is to be passed on; None: nothing, and the caller was told why."""
        if (size := _size(text)) > self._most:
            await self._tell(too_large("call", size, self._most))
            return None
        match parse_call(text):
            case Called() as called if await self._may_call(called):
                return call_frame(called.callee, called.payload, called.metadata)
            case Called():
                note_refusal("call", "an agent may not be called", key=self._visitor.key)
                await self._tell(not_active())
            case Misunderstood(answer):
                await self._tell(answer)
        return None

    async def _may_call(self, called: Called) -> bool:
        return called.callee == str(self._visitor.callee) and await self._admission.may_call(
            self._visitor, called.request_id
        )

    async def _hear_router(self, upstream: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async for text in upstream:
                if (size := _size(text)) > self._most:
                    await self._tell(too_large("answer", size, self._most))
                elif isinstance(text, str):
                    await self._send(text)
        await self._client.close(SERVICE_RESTART)

    async def _tell(self, frame: dict[str, Any]) -> None:
        await self._send(write_json(frame).decode())

    async def _send(self, text: str) -> None:
        await send(self._client, text, self._visitor.key)


def _size(text: str | bytes) -> int:
    """Of a frame, in bytes."""
    return len(text if isinstance(text, bytes) else text.encode(errors="replace"))
