"""The front-end's WebSocket: where a chat message enters, and where its frames leave."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from uuid import UUID, uuid4

from attrs import frozen
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.chats.delivery import Delivery
from gateway.chats.frames import describe_faults, parse_message, refuse
from gateway.chats.messages import (
    ForeignSessionError,
    TooManyRequestsOpenError,
    accept_message,
)
from gateway.chats.queries import select_session
from gateway.state import State
from gateway.web.auth import find_caller
from gateway.web.origins import is_welcome
from shared.database import DatabaseAwayError, connect
from shared.events import encode
from shared.faults import InvalidInputError
from shared.news import Listener, session_channel

logger = logging.getLogger(__name__)

INBOX_LIMIT = 16  # frames; a client that sends faster than they are stored has to wait
SEND_SECONDS = 20.0
CATCH_UP_SECONDS = 1.0
READ_OUT_SECONDS = 10.0

POLICY_VIOLATION = 1008
TRY_AGAIN_LATER = 1013

DATABASE_AWAY = "The message was not accepted: the database can't be reached, please try again."
NOT_ACCEPTED = "The message was not accepted because of an internal error, please try again."
FOREIGN_SESSION = "This session belongs to another user."
TOO_MANY_REQUESTS = (
    "The message was not accepted: too many of your messages are waiting, please try again later."
)


@frozen
class Opening:
    """What a handshake asks for, and how far its session is."""

    user_id: UUID
    session_id: UUID
    sent: int


class RefusedError(Exception):
    """The handshake is refused; with a code it is accepted and closed with that."""

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


async def serve_frontend(websocket: WebSocket) -> None:
    """Serve one socket from its handshake to its close."""
    try:
        opening = await _check(websocket)
        with _counted(websocket, opening.user_id):
            await websocket.accept()
            await Socket(websocket, opening).serve()
    except RefusedError as refused:
        # A refused handshake logs the front-end's user out: only for dead tokens, no UUIDs, and
        # the pages of others.
        if refused.code is not None:
            await websocket.accept()
        await websocket.close(refused.code or POLICY_VIOLATION, refused.reason)


@contextmanager
def _counted(websocket: WebSocket, user_id: UUID) -> Iterator[None]:
    """Count one more open socket of the user. Raises RefusedError where there are enough."""
    state = cast("State", websocket.state)
    sockets, most = state["sockets"], state["settings"].sockets_per_user
    if most and sockets[user_id] >= most:
        raise RefusedError("too many open sockets", TRY_AGAIN_LATER)
    sockets[user_id] += 1
    try:
        yield
    finally:
        sockets[user_id] -= 1
        if not sockets[user_id]:
            del sockets[user_id]


async def _check(websocket: WebSocket) -> Opening:
    state, query = cast("State", websocket.state), websocket.query_params
    if not is_welcome(websocket, state["settings"].backend_cors_origins):
        raise RefusedError("the origin is not welcome")
    session_id = _session_id(query.get("session_id", ""))
    try:
        async with connect(state["database"]) as connection:
            token = query.get("token", "")
            caller = await find_caller(connection, state["settings"], token)
            if caller is None or caller.agent_id is not None:
                raise RefusedError("the token is not valid")
            session = await select_session(connection, caller.user_id, session_id)
    except DatabaseAwayError:
        raise RefusedError("the database can't be reached", TRY_AGAIN_LATER) from None
    if session is not None and not session.is_own:
        raise RefusedError(FOREIGN_SESSION, POLICY_VIOLATION)
    after = _after(query.get("after"))
    last_seq = session.last_seq if session else 0
    # Ahead of the session, as where one was made anew, every frame would be taken for a repeat.
    sent = last_seq if after is None else min(after, last_seq)
    return Opening(caller.user_id, session_id, sent)


def _session_id(text: str) -> UUID:
    try:
        return UUID(text) if text else uuid4()
    except ValueError:
        raise RefusedError("session_id is no UUID") from None


def _after(text: str | None) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > len(str(2**63)) - 1:
        raise RefusedError("after is no seq", POLICY_VIOLATION)
    return int(text)


class Socket:
    """One open connection: it reads, stores and delivers in three tasks."""

    def __init__(self, websocket: WebSocket, opening: Opening) -> None:
        self._websocket = websocket
        self._state = cast("State", websocket.state)
        self._opening = opening
        self._inbox: asyncio.Queue[str | bytes | None] = asyncio.Queue(INBOX_LIMIT)
        self._sending = asyncio.Lock()
        self._too_slow = False
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

            async with self._state["watch"].watch(session_id, tell):
                await self._run(listener)

    async def _run(self, listener: Listener) -> None:
        storing = asyncio.create_task(self._store())
        reading = asyncio.create_task(self._read())
        talking = {reading, asyncio.create_task(self._deliver(listener))}
        try:
            await asyncio.wait(talking, return_when=asyncio.FIRST_COMPLETED)
            if not self._too_slow:  # the client has gone; what it sent before may still be coming
                await asyncio.wait({reading}, timeout=READ_OUT_SECONDS)
        finally:
            for task in talking:
                task.cancel()
            await asyncio.gather(*talking, return_exceptions=True)
            await self._inbox.put(None)
            await storing

    async def _read(self) -> None:
        """Always sit in receive(): otherwise pings go unanswered and the server hangs up."""
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            await self._inbox.put(message.get("text") or message.get("bytes") or "")

    async def _store(self) -> None:
        while (frame := await self._inbox.get()) is not None:
            await self._store_one(frame)

    async def _store_one(self, frame: str | bytes) -> None:
        request_id = uuid4()
        try:
            refusal = await self._accept(request_id, frame)
        except Exception:
            session_id = self._opening.session_id
            logger.exception("session %s, request %s: not accepted", session_id, request_id)
            refusal = self._refusal(request_id, NOT_ACCEPTED)
        if refusal is not None:
            await self._send(refusal)

    async def _accept(self, request_id: UUID, frame: str | bytes) -> str | None:
        """Store a message; what to tell its sender when it was not accepted."""
        user_id, session_id = self._opening.user_id, self._opening.session_id
        try:
            message = parse_message(frame, self._state["settings"].max_message_bytes)
            await accept_message(self._state, user_id, session_id, request_id, message)
        except InvalidInputError as error:
            return describe_faults(error)
        except ForeignSessionError:
            return self._refusal(request_id, FOREIGN_SESSION)
        except TooManyRequestsOpenError:
            return self._refusal(request_id, TOO_MANY_REQUESTS)
        except DatabaseAwayError as error:
            logger.warning("session %s: a message was not accepted: %s", session_id, error)
            return self._refusal(request_id, DATABASE_AWAY)
        return None

    def _refusal(self, request_id: UUID, reason: str) -> str:
        return encode(refuse(self._opening.session_id, request_id, reason)).decode()

    async def _deliver(self, listener: Listener) -> None:
        while True:
            message = await listener.get()
            try:
                async for frame in self._delivery.next_frames(message):
                    if not await self._send(frame.decode()):
                        return
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
            await self._close(TRY_AGAIN_LATER, "too slow")
            return False
        except (WebSocketDisconnect, RuntimeError):  # RuntimeError: sent after the close
            return False
        return True

    async def _close(self, code: int, reason: str) -> None:
        try:
            async with asyncio.timeout(1):
                await self._websocket.close(code, reason)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            logger.debug("session %s: no close frame could be sent", self._opening.session_id)
