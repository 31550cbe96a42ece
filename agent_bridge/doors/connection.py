"""An agent, or the master agent, that is connected at this door, and its place at the router."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from itertools import count
from time import monotonic
from typing import Any
from uuid import uuid4

from attrs import frozen
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from agent_bridge.doors.admission import AgentVisitor, MasterVisitor
from agent_bridge.doors.behind import Behind
from agent_bridge.doors.closes import POLICY_VIOLATION, SERVICE_RESTART
from agent_bridge.doors.frames import (
    Answered,
    Described,
    Invocation,
    Knock,
    Misunderstood,
    answer_frame,
    dismissal,
    invocation_frame,
    not_active,
    parse_agent_frame,
    parse_router_frame,
    reply,
    show,
    too_large,
    unanswered,
    unregistered,
)
from agent_bridge.doors.sending import send
from agent_bridge.router.frames import AgentLogged, read_identity
from agent_bridge.router.lanes import connect_to_router
from agent_bridge.router.reading import as_text
from agent_bridge.together import run_until_one_ends
from shared.codec.text import write_json
from shared.postgres.pool import DatabaseAwayError
from shared.secrets import UndecryptableError

logger = logging.getLogger(__name__)

CALLS_LIMIT = 1_000  # that an agent has not answered; the oldest is given up
DELIVER_SECONDS = 2.0  # for the last answers of one that has left
DISMISS_SECONDS = 2.0
RETRY_SECONDS = 0.5
HEARD_AT_ONCE = 64  # frames that are here already; then others have their turn
GOES_DOWN = "The bridge goes down: connect again"
LOST_PLACE = "The router is away, or somebody else has this place there: connect again"
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

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for an answer of it."""
        return bool(self._calls or self._answering)

    async def serve(self) -> None:
        """Pass on until either end is gone. Raises RouterAwayError."""
        try:
            await self._enter_router()  # first: who is active can be called
            await run_until_one_ends(self._hear_client(), self._hear_router())
        finally:
            await self._end()

    async def _end(self) -> None:
        """Leave the router, once what was answered is delivered; who still waits is told."""
        if self._answering:
            _, late = await asyncio.wait(set(self._answering), timeout=DELIVER_SECONDS)
            for delivering in late:
                delivering.cancel()
            if late:
                await asyncio.wait(late)
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

    async def dismiss(self, reason: str) -> None:
        """Tell it to stop, and end it."""
        await self._end_with(reason, POLICY_VIOLATION)

    async def close(self, reason: str = GOES_DOWN) -> None:
        """End it; it may come again, to another bridge.

        It is told to stop: one of the first generation does not notice that it was cut off.
        """
        await self._end_with(reason, SERVICE_RESTART)

    async def _end_with(self, reason: str, code: int) -> None:
        frame = write_json(dismissal(reason)).decode()
        await send(self._client, frame, self.identity, DISMISS_SECONDS)
        await self._client.close(code, reason)

    def abort(self) -> None:
        """End it without a word."""
        self._client.transport.abort()

    async def call(
        self, by: str, payload: object, metadata: dict[str, Any], deliver: Deliver
    ) -> str | None:
        """Call it for whoever has this key; the key under which it sees the call.

        None: the call is too large, and `deliver` was told so.
        """
        shown = show(by, self._behind.shown_names, next(self._numbers))
        frame = invocation_frame(shown, payload, metadata)
        most = self._behind.settings.master_max_frame_bytes
        if len(frame) > most:
            await deliver(too_large("call", len(frame), most))
            return None
        self._calls[shown] = _Call(_id_of_request(metadata), deliver)
        try:
            if len(self._calls) > CALLS_LIMIT:
                oldest = self._calls.pop(next(iter(self._calls)))
                await oldest.deliver(unanswered(CALLS_LIMIT))
            await self._send(frame)
        except asyncio.CancelledError:
            self.forget(shown)
            raise
        return shown

    def forget(self, shown: str | None) -> None:
        """Nobody waits for this answer any more."""
        self._calls.pop(shown or "", None)

    async def _hear_client(self) -> None:
        with suppress(ConnectionClosed):
            heard = 0
            async for text in self._client:
                await self._take_from_client(text)
                heard += 1
                if heard % HEARD_AT_ONCE == 0:
                    await asyncio.sleep(0)

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
        """Have it stored, when PostgreSQL is there, unless the agent leaves before."""
        while self._client.state is State.OPEN:
            try:
                reason = await self._behind.describe(self.id, visitor, described)
            except DatabaseAwayError as error:
                logger.warning("agent %s waits to be active: %s", self.identity, error)
                with suppress(TimeoutError):
                    async with asyncio.timeout(RETRY_SECONDS):
                        await self._client.wait_closed()
                continue
            if reason is None:
                self.has_described = True
                return
            await self.dismiss(reason)

    def _answer(self, call: _Call, frame: Answer) -> None:
        """Deliver an answer after the log entries that came before it, and hear on meanwhile."""
        task = asyncio.create_task(self._deliver(call, frame))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _deliver(self, call: _Call, frame: Answer) -> None:
        try:
            if call.request_id:
                await self._behind.logs.until_stored(call.request_id)
        finally:  # when the agent leaves meanwhile, its answer comes before its entries
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
            case Knock(nonce, asked, by):
                if self._behind.seals.is_asked(self.identity, nonce, asked):
                    proof = self._behind.seals.prove(self.identity, nonce)
                    await upstream.send(answer_frame(by, reply(proof)).decode())
            case Invocation() as invocation:
                await self._take_call(upstream, invocation)
            case None:
                logger.debug("the router sent %s a frame that is for nobody", self.identity)

    async def _take_call(self, upstream: ClientConnection, invocation: Invocation) -> None:
        try:
            opened = self._behind.seals.open(
                invocation,
                by_bridge=invocation.by.startswith(self._behind.settings.master_be_api_key),
            )
        except UndecryptableError as error:
            logger.warning("a call of %s is not passed on: %s", self.identity, error)
            await upstream.send(answer_frame(invocation.by, not_active()).decode())
            return
        sealed_for = invocation.request_id if opened.was_sealed else None
        deliver = partial(self._return, upstream, invocation.by, sealed_for)
        await self.call(invocation.by, opened.payload, invocation.metadata, deliver)

    async def _return(
        self, upstream: ClientConnection, by: str, sealed_for: str | None, answer: Answer
    ) -> None:
        """Give an answer to whoever has called through the router."""
        settings = self._behind.settings
        is_bridge = by.startswith(settings.master_be_api_key)
        most = settings.router_max_frame_bytes if is_bridge else settings.master_max_frame_bytes
        frame = self._answer_frame(by, sealed_for, answer)
        if len(frame) > most:
            frame = self._answer_frame(by, sealed_for, too_large("answer", len(frame), most))
        try:
            await upstream.send(frame.decode())
        except ConnectionClosed:
            logger.debug("an answer of %s came too late", self.identity)

    def _answer_frame(self, by: str, sealed_for: str | None, answer: Answer) -> bytes:
        if sealed_for is not None:
            answer = self._behind.seals.close(answer, sealed_for)
        return answer_frame(by, answer)

    async def _send(self, frame: bytes) -> None:
        await send(self._client, frame.decode(), self.identity)


def _id_of_request(metadata: dict[str, Any]) -> str:
    """The request in whose name a call is; nothing where it can be none."""
    request_id = as_text(metadata.get("request_id"))
    return request_id if read_identity(request_id) else ""
