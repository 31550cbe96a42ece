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
from agent_bridge.doors.frames import (
    Called,
    Misunderstood,
    call_frame,
    not_active,
    parse_call,
    too_large,
)
from agent_bridge.doors.refusals import note_refusal
from agent_bridge.doors.sending import send_in_time
from agent_bridge.router.lanes import connect_to_router
from shared.codec.text import write_json
from shared.settings.bridge import BridgeSettings

logger = logging.getLogger(__name__)


class Caller:
    """A connection for calls, and its connection to the router.

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
        self._admission = admission
        self._client = client
        self._visitor = visitor

    async def serve(self) -> None:
        """Pass calls on and answers back, until either end is gone. Raises RouterAwayError."""
        key = {"x-custom-invoke-key": f"{self._visitor.key}:{uuid4()}"}
        upstream = await connect_to_router(self._settings, key)
        works = [
            asyncio.create_task(each)
            for each in (self._hear_client(upstream), self._hear_router(upstream))
        ]
        try:
            done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            for each in works:
                each.cancel()
            await asyncio.gather(*works, return_exceptions=True)
            await upstream.close()

    async def _hear_client(self, upstream: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async for text in self._client:
                match parse_call(text):
                    case Called() as called:
                        await self._call(upstream, called)
                    case Misunderstood(answer):
                        await self._tell(answer)

    async def _call(self, upstream: ClientConnection, called: Called) -> None:
        callee, most = str(self._visitor.callee), self._settings.master_max_frame_bytes
        if called.callee != callee or not await self._admission.may_call(
            self._visitor, called.request_id
        ):
            note_refusal("call", "an agent may not be called", key=self._visitor.key)
            await self._tell(not_active())
            return
        frame = call_frame(called)
        if len(frame) > most:
            await self._tell(too_large("call", len(frame), most))
            return
        await upstream.send(frame.decode())

    async def _hear_router(self, upstream: ClientConnection) -> None:
        most = self._settings.master_max_frame_bytes
        with suppress(ConnectionClosed):
            async for text in upstream:
                assert isinstance(text, str), "the router sends text"
                if len(text) > most:
                    await self._tell(too_large("answer", len(text), most))
                else:
                    await send_in_time(self._client, text)

    async def _tell(self, frame: dict[str, Any]) -> None:
        await send_in_time(self._client, write_json(frame).decode())
