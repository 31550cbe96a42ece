"""The front-end's WebSocket: where a chat message enters, and where its frames leave."""

import asyncio
import logging
from contextlib import suppress
from time import time_ns
from typing import cast
from uuid import UUID, uuid4

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from gateway.chats.closes import (
    FAILED,
    FOREIGN_SESSION,
    INTERNAL_ERROR,
    POLICY_VIOLATION,
    RESTARTING,
    SERVICE_RESTART,
    TRY_AGAIN_LATER,
)
from gateway.chats.delivery import Delivery
from gateway.chats.expected import ExpectedAnswers
from gateway.chats.frames import (
    Cancellation,
    ClientMessage,
    describe_faults,
    parse_frame,
    refuse,
    unknown_request,
)
from gateway.chats.handshake import Opening, RefusedError, check_handshake
from gateway.chats.messages import (
    ForeignSessionError,
    TooManyRequestsOpenError,
    accept_message,
)
from gateway.chats.sockets import GoingDownError, TooManySocketsError
from gateway.requests.cancellation import cancel
from gateway.state import State
from shared.codec.faults import InvalidInputError
from shared.domain.frames import encode
from shared.notifications.bus import Listener
from shared.notifications.formats import session_channel
from shared.postgres.pool import DatabaseAwayError, connect
from shared.telemetry.logging import tell_logs
from shared.telemetry.tracing import span

logger = logging.getLogger(__name__)

INBOX_LIMIT = 16  # frames; a client that sends faster than they are stored has to wait
SEND_SECONDS = 20.0
CATCH_UP_SECONDS = 1.0
READ_OUT_SECONDS = 10.0

DATABASE_AWAY = "The message was not accepted: the database can't be reached, please try again."
NOT_ACCEPTED = "The message was not accepted because of an internal error, please try again."
TOO_MANY_REQUESTS = (
    "The message was not accepted: too many of your messages are waiting, please try again later."
)


async def serve_frontend(websocket: WebSocket) -> None:
    """Serve one socket from its handshake to its close."""
    sockets = cast("State", websocket.state)["sockets"]
    try:
        opening = await check_handshake(websocket)
        tell_logs(user_id=opening.user_id, session_id=opening.session_id)
        socket = Socket(websocket, opening)
        with sockets.opened(opening.user_id, socket.leave):
            await websocket.accept()
            await socket.serve()
    except TooManySocketsError:
        await _refuse(websocket, "too many open sockets", TRY_AGAIN_LATER)
    except GoingDownError:
        await _refuse(websocket, RESTARTING, SERVICE_RESTART)
    except RefusedError as refused:
        await _refuse(websocket, refused.reason, refused.code)
    except Exception:
        # The server would send no close frame: the client would see a cut cable.
        logger.exception("a socket failed")
        await _close(websocket, INTERNAL_ERROR, FAILED)


async def _refuse(websocket: WebSocket, reason: str, code: int | None) -> None:
    # A refused handshake logs the front-end's user out: only for dead tokens, no UUIDs, and the
    # pages of others.
    if code is None:
        await websocket.close(POLICY_VIOLATION, reason)
    else:
        await _close(websocket, code, reason)


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    """Close a socket, which is opened before if need be: a refused one logs its user out."""
    try:
        async with asyncio.timeout(1):
            if websocket.application_state is WebSocketState.CONNECTING:
                await websocket.accept()
            await websocket.close(code, reason)
    except (TimeoutError, WebSocketDisconnect, RuntimeError):
        logger.debug("no close frame could be sent")


class Socket:
    """One open connection: it reads, delivers in a task, and stores in one while there is work."""

    def __init__(self, websocket: WebSocket, opening: Opening) -> None:
        self._websocket = websocket
        self._state = cast("State", websocket.state)
        self._opening = opening
        self._inbox: list[str | bytes] = []  # a tenth of what a deque takes
        self._storing: asyncio.Task[None] | None = None
        self._sending = asyncio.Lock()
        self._too_slow = False
        self._expected = ExpectedAnswers()
        self._delivery = Delivery(
            self._state["database"], opening.user_id, opening.session_id, opening.sent
        )

    async def serve(self) -> None:
        """Run until the client leaves or is too slow; what it sent by then is stored."""
        session_id = self._opening.session_id
        channel = session_channel(session_id, self._opening.user_id)
        async with self._state["news"].subscribe(channel) as listener:

            def tell(last_seq: int) -> None:
                if last_seq != self._delivery.sent:
                    listener.put(None)

            with self._state["watch"].watch(session_id, tell):
                await self._run(listener)

    async def leave(self) -> None:
        """Close, for the client to go on elsewhere; what it sent by then is stored."""
        await _close(self._websocket, SERVICE_RESTART, RESTARTING)

    async def _run(self, listener: Listener) -> None:
        delivering = asyncio.create_task(self._deliver(listener))
        try:
            async with asyncio.timeout(None) as limit:
                delivering.add_done_callback(lambda _: self._read_out(limit))
                await self._read()
        except TimeoutError:
            logger.debug("session %s: a socket was not read out", self._opening.session_id)
        finally:
            delivering.cancel()
            await asyncio.gather(delivering, return_exceptions=True)  # it has told what it raised
            if self._storing is not None:
                await self._storing

    def _read_out(self, limit: asyncio.Timeout) -> None:
        """Go on reading for a while: of a client that has gone what it sent may still be coming."""
        seconds = 0 if self._too_slow else READ_OUT_SECONDS
        with suppress(RuntimeError):  # it has hung up by now
            limit.reschedule(asyncio.get_running_loop().time() + seconds)

    async def _read(self) -> None:
        """Always sit in receive(): otherwise pings go unanswered and the server hangs up."""
        most = self._state["settings"].max_message_bytes + 1  # enough to see that it is too long
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if self._storing is not None and len(self._inbox) == INBOX_LIMIT:
                await asyncio.wait({self._storing})
            frame = message.get("text") or message.get("bytes") or ""
            self._inbox.append(frame[:most])
            if self._storing is None or self._storing.done():
                self._storing = asyncio.create_task(self._store())

    async def _store(self) -> None:
        while self._inbox:
            await self._store_one(self._inbox.pop(0))

    async def _store_one(self, frame: str | bytes) -> None:
        request_id = uuid4()
        tell_logs(request_id=request_id)
        try:
            reply = await self._accept(request_id, frame)
        except Exception:
            session_id = self._opening.session_id
            logger.exception("session %s, request %s: not accepted", session_id, request_id)
            reply = self._refusal(request_id, NOT_ACCEPTED)
        if reply is not None:
            await self._send(reply)

    async def _accept(self, request_id: UUID, text: str | bytes) -> str | None:
        """Do what a frame says; what to tell its sender at once, if anything."""
        try:
            match parse_frame(text, self._state["settings"].max_message_bytes):
                case Cancellation() as cancellation:
                    await self._cancel(cancellation.request_id)
                    return None
                case message:
                    return await self._accept_message(request_id, message)
        except InvalidInputError as error:
            return describe_faults(error)
        except ForeignSessionError:
            return self._refusal(request_id, FOREIGN_SESSION)
        except TooManyRequestsOpenError:
            return self._refusal(request_id, TOO_MANY_REQUESTS)
        except DatabaseAwayError as error:
            session_id = self._opening.session_id
            logger.warning("session %s: a message was not accepted: %s", session_id, error)
            return self._refusal(request_id, DATABASE_AWAY)

    async def _accept_message(self, request_id: UUID, message: ClientMessage) -> str | None:
        user_id, session_id = self._opening.user_id, self._opening.session_id
        link = self._websocket.headers.get("traceparent")
        with span("accept", link=link, request_id=request_id, session_id=session_id):
            self._expected.expect(request_id)
            answer = await accept_message(self._state, user_id, session_id, request_id, message)
        frame = None if answer is None else await self._delivery.repeat(answer)
        return frame.decode() if frame else None

    async def _cancel(self, request_id: UUID) -> None:
        async with connect(self._state["database"]) as connection:
            request = await cancel(
                connection, self._state["news"], self._opening.user_id, request_id
            )
        if request is None:
            raise unknown_request(request_id)

    def _refusal(self, request_id: UUID, reason: str) -> str:
        return encode(refuse(self._opening.session_id, request_id, reason)).decode()

    async def _deliver(self, listener: Listener) -> None:
        try:
            await self._deliver_for_ever(listener)
        except Exception:
            logger.exception("session %s: the delivery failed", self._opening.session_id)
            await _close(self._websocket, INTERNAL_ERROR, FAILED)

    async def _deliver_for_ever(self, listener: Listener) -> None:
        """Until the client is gone, or too slow."""
        while True:
            message = await listener.get()
            try:
                async for frame in self._delivery.next_frames(message):
                    begun = time_ns()
                    if not await self._send(frame.decode()):
                        return
                    self._expected.sent(frame, begun)
            except DatabaseAwayError as error:
                logger.warning("session %s is behind: %s", self._opening.session_id, error)
                await asyncio.sleep(CATCH_UP_SECONDS)
                listener.put(None)

    async def _send(self, text: str) -> bool:
        """Send a frame; False: the client is gone, or so slow that it was closed."""
        try:
            async with self._sending, asyncio.timeout(SEND_SECONDS):
                await self._websocket.send_text(text)
        except TimeoutError:
            logger.info("session %s: a socket was too slow", self._opening.session_id)
            self._too_slow = True
            await _close(self._websocket, TRY_AGAIN_LATER, "too slow")
            return False
        except (WebSocketDisconnect, RuntimeError):  # RuntimeError: sent after the close
            return False
        return True
