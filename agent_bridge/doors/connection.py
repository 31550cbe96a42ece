"""An agent, or the master agent, that is connected at this door, and its place at the router."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from time import monotonic
from typing import Any
from uuid import uuid4

from attrs import frozen
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from agent_bridge.doors.admission import AgentVisitor, MasterVisitor
from agent_bridge.doors.behind import Behind
from agent_bridge.doors.closes import POLICY_VIOLATION, SERVICE_RESTART
from agent_bridge.doors.frames import (
    Answered,
    Described,
    Invocation,
    Misunderstood,
    Told,
    answer_frame,
    dismissal,
    invocation_frame,
    not_active,
    parse_agent_frame,
    parse_router_frame,
    reply,
    show,
    too_large,
    unregistered,
)
from agent_bridge.doors.sending import send_in_time
from agent_bridge.router.frames import AgentLogged
from agent_bridge.router.lanes import connect_to_router
from shared.codec.text import write_json
from shared.secrets import UndecryptableError

logger = logging.getLogger(__name__)

CALLS_LIMIT = 1_000  # that an agent has not answered; the oldest is forgotten
ANSWER_SECONDS = 2.0  # for answers that have come when it leaves
LOST_SECONDS = 0.01  # after a log entry that was lost: so its sender is slowed down

type Answer = dict[str, Any]
type Deliver = Callable[[Answer], Awaitable[None]]


@frozen(eq=False)
class _Call:
    """A call that waits for its answer."""

    request_id: str
    deliver: Deliver


class Connection:
    """Passes calls to whoever is connected, and answers back; keeps what it logs.

    It ends when either of its two ends does.
    """

    def __init__(
        self, behind: Behind, client: ServerConnection, visitor: AgentVisitor | MasterVisitor
    ) -> None:
        self.id = uuid4()
        self.visitor = visitor
        self.identity = visitor.identity
        """Who it is."""
        self._behind = behind
        self._client = client
        self._upstream: ClientConnection | None = None
        self._is_renewing = False
        self._calls: dict[str, _Call] = {}
        self._numbers = count(1)
        self._answering: set[asyncio.Task[None]] = set()
        self.since = monotonic()
        self.has_place = False
        """Whether it is noted that it is here."""
        self.has_described = False
        """Whether it has said who it is."""
        self.ended = asyncio.Event()
        """It has left its place at the router."""

    async def serve(self) -> None:
        """Pass on until either end is gone. Raises RouterAwayError."""
        works: list[asyncio.Task[None]] = []
        try:
            await self._enter_router()  # first: who is active can be called
            works += map(asyncio.create_task, (self._hear_client(), self._hear_router()))
            done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            await self._end(works)

    async def _end(self, works: list[asyncio.Task[None]]) -> None:
        for each in works:
            each.cancel()
        await asyncio.gather(*works, return_exceptions=True)
        if self._answering:
            await asyncio.wait(self._answering, timeout=ANSWER_SECONDS)
        for each in self._answering:
            each.cancel()
        if self._upstream is not None:
            await self._upstream.close()
        self.ended.set()
        while self._calls:
            _, call = self._calls.popitem()
            await call.deliver(unregistered(self.identity))

    async def renew(self) -> None:
        """Take the place at the router anew; whatever connection has it by now."""
        if self._upstream is not None:
            logger.warning("%s has lost its place at the router and takes it again", self.identity)
            self._is_renewing = True
            await self._upstream.close()

    async def dismiss(self, reason: str, code: int = POLICY_VIOLATION) -> None:
        """Tell it to stop, and end it."""
        try:
            await self._send(write_json(dismissal(reason)))
            await self._client.close(code, reason)
        except ConnectionClosed:
            logger.debug("%s had gone by itself", self.identity)

    async def close(self) -> None:
        """End it; it may come again, to another bridge."""
        await self._client.close(SERVICE_RESTART)

    def abort(self) -> None:
        """End it without a word."""
        self._client.transport.abort()

    async def call(
        self, by: str, payload: object, metadata: dict[str, Any], deliver: Deliver
    ) -> str | None:
        """Call it for whoever has this key; the key under which it sees the call.

        None: the call is too large, and `deliver` was told so.
        """
        shown = show(by, self._behind.settings.master_be_api_key, next(self._numbers))
        frame = invocation_frame(shown, payload, metadata)
        most = self._behind.settings.master_max_frame_bytes
        if len(frame) > most:
            await deliver(too_large("call", len(frame), most))
            return None
        request_id = metadata.get("request_id")
        self._calls[shown] = _Call(request_id if isinstance(request_id, str) else "", deliver)
        if len(self._calls) > CALLS_LIMIT:
            self._calls.pop(next(iter(self._calls)))
        try:
            await self._send(frame)
        except ConnectionClosed:
            self.forget(shown)
            await deliver(unregistered(self.identity))
        return shown

    def forget(self, shown: str | None) -> None:
        """Nobody waits for this answer any more."""
        self._calls.pop(shown or "", None)

    async def _hear_client(self) -> None:
        with suppress(ConnectionClosed):
            async for text in self._client:
                await self._take_from_client(text)

    async def _take_from_client(self, text: str | bytes) -> None:
        match parse_agent_frame(text, self.identity):
            case AgentLogged() as logged:
                if not self._behind.logs.put(logged):
                    await asyncio.sleep(LOST_SECONDS)
            case Answered(shown, frame):
                if call := self._calls.pop(shown, None):
                    self._answer(call, frame)
            case Described() as described:
                if isinstance(self.visitor, AgentVisitor):
                    await self._describe(self.visitor, described)
            case Misunderstood(answer):
                await self._send(write_json(answer))
            case None:
                logger.debug("%s has sent a frame that says too little", self.identity)

    async def _describe(self, visitor: AgentVisitor, described: Described) -> None:
        if reason := await self._behind.describe(self.id, visitor, described):
            await self.dismiss(reason)
        else:
            self.has_described = True

    def _answer(self, call: _Call, frame: Answer) -> None:
        """Deliver an answer after the log entries that came before it, and hear on meanwhile."""
        task = asyncio.create_task(self._deliver(call, frame))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _deliver(self, call: _Call, frame: Answer) -> None:
        if call.request_id:
            await self._behind.logs.until_stored(call.request_id)
        await call.deliver(frame)

    async def _enter_router(self) -> ClientConnection:
        headers = self._behind.headers_of(self.visitor)
        self._is_renewing = False
        self._upstream = await connect_to_router(self._behind.settings, headers)
        return self._upstream

    async def _hear_router(self) -> None:
        assert self._upstream is not None, "it has entered"
        upstream = self._upstream
        while True:
            with suppress(ConnectionClosed):
                async for text in upstream:
                    await self._take_from_router(upstream, text)
            if not self._is_renewing:
                return
            upstream = await self._enter_router()

    async def _take_from_router(self, upstream: ClientConnection, text: str | bytes) -> None:
        match parse_router_frame(text):
            case Invocation(by, {"knock": str(nonce)}) if self._is_bridge(by):
                proof = self._behind.seals.prove(self.identity, nonce)
                await upstream.send(answer_frame(by, reply(proof)).decode())
            case Invocation() as invocation:
                await self._take_call(upstream, invocation)
            case Told(frame):
                await self._send(write_json(frame))
            case None:
                logger.debug("the router sent %s a frame of no known form", self.identity)

    def _is_bridge(self, by: str) -> bool:
        return by.startswith(self._behind.settings.master_be_api_key)

    async def _take_call(self, upstream: ClientConnection, invocation: Invocation) -> None:
        try:
            opened = self._behind.seals.open(invocation, by_bridge=self._is_bridge(invocation.by))
        except UndecryptableError as error:
            logger.warning("a call of %s is not passed on: %s", self.identity, error)
            await upstream.send(answer_frame(invocation.by, not_active()).decode())
            return

        async def deliver(answer: Answer) -> None:
            frame = self._behind.seals.close(answer, invocation) if opened.was_sealed else answer
            try:
                await upstream.send(answer_frame(invocation.by, frame).decode())
            except ConnectionClosed:
                logger.debug("an answer of %s came too late", self.identity)

        await self.call(invocation.by, opened.payload, invocation.metadata, deliver)

    async def _send(self, frame: bytes) -> None:
        await send_in_time(self._client, frame.decode())
