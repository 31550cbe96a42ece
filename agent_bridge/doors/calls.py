"""Calls of one agent by another one, or by the master agent: one connection for each caller."""

import asyncio
import logging
from contextlib import suppress
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from agent_bridge.doors.admission import Admission, CallVisitor
from agent_bridge.doors.connection import SERVICE_RESTART
from agent_bridge.doors.frames import (
    Called,
    Misunderstood,
    call_frame,
    not_active,
    parse_call,
    too_large,
)
from agent_bridge.doors.refusals import note_refusal
from agent_bridge.doors.sending import send
from agent_bridge.router.lanes import connect_to_router
from shared.codec.text import write_json
from shared.settings.bridge import BridgeSettings

logger = logging.getLogger(__name__)


class Caller:
    """A connection for calls, and its connection to the router, once a call may be made.

    Answers are told apart by the key of that connection, so each has one of its own.
    """

    def __init__(
        self,
        settings: BridgeSettings,
        admission: Admission,
        client: ServerConnection,
        visitor: CallVisitor,
    ) -> None:
        self._settings = settings
        self._most = settings.master_max_frame_bytes
        self._admission = admission
        self._client = client
        self._visitor = visitor
        self._upstream: ClientConnection | None = None
        self._hearing: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Pass calls on and answers back, until either end is gone.

        Raises RouterAwayError, DatabaseAwayError.
        """
        try:
            with suppress(ConnectionClosed):
                async for text in self._client:
                    await self._take(text)
        finally:
            if self._hearing is not None and self._upstream is not None:
                self._hearing.cancel()
                await asyncio.gather(self._hearing, return_exceptions=True)
                await self._upstream.close()

    async def _take(self, text: str | bytes) -> None:
        if (size := _size(text)) > self._most:
            await self._tell(too_large("call", size, self._most))
            return
        match parse_call(text):
            case Called() as called:
                await self._call(called)
            case Misunderstood(answer):
                await self._tell(answer)

    async def _call(self, called: Called) -> None:
        if called.callee != str(self._visitor.callee) or not await self._admission.may_call(
            self._visitor, called.request_id
        ):
            note_refusal("call", "an agent may not be called", key=self._visitor.key)
            await self._tell(not_active())
            return
        upstream = self._upstream or await self._enter_router()
        await upstream.send(call_frame(called).decode())

    async def _enter_router(self) -> ClientConnection:
        key = {"x-custom-invoke-key": f"{self._visitor.key}:{uuid4()}"}
        self._upstream = await connect_to_router(self._settings, key)
        self._hearing = asyncio.create_task(self._hear_router(self._upstream))
        return self._upstream

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
