"""What comes over a socket: frames, each stored or done before the next one."""

import asyncio
import logging
from sys import getsizeof
from typing import cast
from uuid import UUID, uuid4

from starlette.websockets import WebSocket

from gateway.chats.frames import (
    Cancellation,
    ClientMessage,
    InvalidCancellationError,
    describe_faults,
    explain_faults,
    frame_limit,
    parse_frame,
    refuse,
    unknown_request,
)
from gateway.chats.handshake import Opening
from gateway.chats.messages import NotAcceptedError, TooManyOpenError, accept_message
from gateway.chats.queries import Repeated
from gateway.chats.sender import Sender
from gateway.requests.cancellation import cancel
from gateway.state import State
from gateway.web.refusals import TOO_MANY_MESSAGES, log_refusal
from shared.codec.faults import InvalidInputError
from shared.domain.frames import encode
from shared.postgres.pool import DatabaseAwayError, connect
from shared.telemetry.logging import bind_log_ids
from shared.telemetry.tracing import span

logger = logging.getLogger(__name__)

INBOX_LIMIT = 16  # frames; a client that sends faster than they are stored has to wait

DATABASE_AWAY = "The message was not accepted: the database can't be reached, please try again."
NOT_ACCEPTED = "The message was not accepted because of an internal error, please try again."


class Reader:
    """Reads, and stores in a task while there is work."""

    def __init__(self, websocket: WebSocket, opening: Opening, sender: Sender) -> None:
        self._websocket = websocket
        self._state = cast("State", websocket.state)
        self._opening = opening
        self._sender = sender
        self._inbox: list[str | bytes] = []  # a tenth of what a deque takes
        self._storing: asyncio.Task[None] | None = None
        self._message_bytes = self._state["settings"].max_message_bytes

    async def read(self) -> None:
        """Read until the client leaves.

        Always sits in receive(): otherwise pings go unanswered and the server hangs up.
        """
        most = frame_limit(self._message_bytes) + 1  # enough to see that it is too long
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            frame = (message.get("text") or message.get("bytes") or "")[:most]
            del message  # it may be far longer
            if self._storing is not None and self._is_full(frame):
                await asyncio.wait({self._storing})
            self._inbox.append(frame)
            if self._storing is None or self._storing.done():
                self._storing = asyncio.create_task(self._store())

    def _is_full(self, frame: str | bytes) -> bool:
        """Whether more than one message's worth would wait, in bytes of memory."""
        size = sum(map(getsizeof, (*self._inbox, frame)))
        return len(self._inbox) == INBOX_LIMIT or size > frame_limit(self._message_bytes)

    async def finish(self) -> None:
        """Wait until all that came is stored."""
        if self._storing is not None:
            await self._storing

    async def _store(self) -> None:
        while self._inbox:
            await self._store_one(self._inbox.pop(0))

    async def _store_one(self, frame: str | bytes) -> None:
        request_id = uuid4()
        bind_log_ids(request_id=request_id)
        try:
            replies = await self._accept(request_id, frame)
        except Exception:
            session_id = self._opening.session_id
            logger.exception("session %s, request %s: not accepted", session_id, request_id)
            replies = [self._refusal(request_id, NOT_ACCEPTED)]
        for reply in replies:
            await self._sender.send(reply)

    async def _accept(self, request_id: UUID, text: str | bytes) -> list[str]:
        """Do what a frame says; what to tell its sender at once, if anything."""
        try:
            match parse_frame(text, self._message_bytes):
                case Cancellation() as cancellation:
                    await self._cancel(cancellation.request_id)
                    return []
                case message:
                    return await self._accept_message(request_id, message)
        except InvalidCancellationError as error:
            return [describe_faults(error)]
        except InvalidInputError as error:
            return [describe_faults(error), self._refusal(request_id, explain_faults(error))]
        except NotAcceptedError as error:
            if isinstance(error, TooManyOpenError):
                log_refusal(TOO_MANY_MESSAGES, self._websocket)
            return [self._refusal(request_id, str(error))]
        except DatabaseAwayError as error:
            session_id = self._opening.session_id
            logger.warning("session %s: a message was not accepted: %s", session_id, error)
            return [self._refusal(request_id, DATABASE_AWAY)]

    async def _accept_message(self, request_id: UUID, message: ClientMessage) -> list[str]:
        user_id, session_id = self._opening.user_id, self._opening.session_id
        link = self._websocket.headers.get("traceparent")
        with span("accept", link=link, request_id=request_id, session_id=session_id):
            expected = self._sender.expected
            expected.expect(request_id)
            try:
                repeated = await accept_message(
                    self._state, user_id, session_id, request_id, message
                )
            except Exception:
                expected.forget(request_id)
                raise
        return [] if repeated is None else await self._repeat(request_id, repeated)

    async def _repeat(self, request_id: UUID, repeated: Repeated) -> list[str]:
        """What to tell who sends a message again; an answer that is to come is expected instead."""
        expected = self._sender.expected
        expected.forget(request_id)
        if repeated.seq is None:
            expected.expect(repeated.request_id)
            return []
        frame = await self._sender.delivery.repeat(repeated.seq)
        return [frame] if frame else []

    async def _cancel(self, request_id: UUID) -> None:
        async with connect(self._state["database"]) as connection:
            request = await cancel(
                connection, self._state["notifications"], self._opening.user_id, request_id
            )
        if request is None:
            raise unknown_request(request_id)

    def _refusal(self, request_id: UUID, reason: str) -> str:
        return encode(refuse(self._opening.session_id, request_id, reason)).decode()
