"""What comes over a socket: frames, each stored or done before the next one."""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from sys import getsizeof
from typing import cast
from uuid import UUID, uuid4

from starlette.websockets import WebSocket

from gateway.chats.frames import (
    Cancellation,
    ClientMessage,
    InvalidCancellationError,
    explain_faults,
    frame_limit,
    parse_frame,
    shown_faults,
    unknown_request,
)
from gateway.chats.handshake import Opening
from gateway.chats.protocols import Refusal
from gateway.chats.sender import Sender
from gateway.requests.cancellation import cancel
from gateway.state import State
from gateway.streams.asking import (
    Accepted,
    BudgetSpentError,
    NotAcceptedError,
    TooManyOpenError,
    ask,
)
from gateway.streams.delivery import Delivery
from gateway.streams.questions import Question
from gateway.web.refusals import BUDGET_SPENT, TOO_MANY_MESSAGES, log_refusal
from shared.codec.faults import InvalidInputError
from shared.postgres.pool import DatabaseAwayError, connect
from shared.telemetry.logging import bind_log_ids
from shared.telemetry.tracing import span

logger = logging.getLogger(__name__)

INBOX_LIMIT = 16  # frames; a client that sends faster than they are stored has to wait

DATABASE_AWAY = "The message was not accepted: the database can't be reached, please try again."
NOT_ACCEPTED = "The message was not accepted because of an internal error, please try again."
LOGGED: Mapping[type[NotAcceptedError], str] = {
    TooManyOpenError: TOO_MANY_MESSAGES,
    BudgetSpentError: BUDGET_SPENT,
}


class Reader:
    """Reads, and stores in a task while there is work."""

    __slots__ = (
        *("_delivery", "_inbox", "_is_stopped", "_message_bytes", "_opening", "_sender", "_state"),
        *("_storing", "_websocket"),
    )

    def __init__(
        self, websocket: WebSocket, opening: Opening, sender: Sender, delivery: Delivery
    ) -> None:
        self._websocket = websocket
        self._state = cast("State", websocket.state)
        self._opening = opening
        self._sender = sender
        self._delivery = delivery
        self._inbox: list[str | bytes] = []  # a tenth of what a deque takes
        self._storing: asyncio.Task[None] | None = None
        self._is_stopped = False
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
            if self._is_stopped:
                continue
            if self._storing is not None and self._is_full(frame):
                await asyncio.wait({self._storing})
            self._inbox.append(frame)
            if self._storing is None or self._storing.done():
                self._storing = asyncio.create_task(self._store())

    def _is_full(self, frame: str | bytes) -> bool:
        """Whether more than one message's worth would wait, in bytes of memory."""
        size = sum(map(getsizeof, (*self._inbox, frame)))
        return len(self._inbox) == INBOX_LIMIT or size > frame_limit(self._message_bytes)

    def stop(self) -> None:
        """Take nothing any more: what waits is forgotten, as is what still comes."""
        self._is_stopped = True
        self._inbox.clear()

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
        with self._sender.accepting(request_id):
            for reply in await self._answer(request_id, frame):
                await self._sender.send(reply)

    async def _answer(self, request_id: UUID, frame: str | bytes) -> list[str]:
        """Do what a frame says; what to tell its sender at once, if anything."""
        refuse = partial(Refusal, self._opening.session_id, request_id, frame)
        try:
            return await self._accept(request_id, frame)
        except InvalidInputError as error:
            is_message = not isinstance(error, InvalidCancellationError)
            told, faults = explain_faults(error), shown_faults(error)
            refusal = refuse("invalid", told, faults=faults, is_message=is_message)
        except NotAcceptedError as error:
            if (logged := LOGGED.get(type(error))) is not None:
                log_refusal(logged, self._websocket)
            refusal = refuse(error.code, str(error))
        except DatabaseAwayError as error:
            session_id = self._opening.session_id
            logger.warning("session %s: a message was not accepted: %s", session_id, error)
            refusal = refuse("database_away", DATABASE_AWAY)
        except Exception:
            session_id = self._opening.session_id
            logger.exception("session %s, request %s: not accepted", session_id, request_id)
            refusal = refuse("internal", NOT_ACCEPTED)
        return self._opening.wording.refuse(refusal)

    async def _accept(self, request_id: UUID, text: str | bytes) -> list[str]:
        match parse_frame(text, self._message_bytes):
            case Cancellation() as cancellation:
                await self._cancel(cancellation.request_id)
                return []
            case message:
                return await self._accept_message(request_id, message)

    async def _accept_message(self, request_id: UUID, message: ClientMessage) -> list[str]:
        user_id, session_id = self._opening.user_id, self._opening.session_id
        link = self._websocket.headers.get("traceparent")
        with span("accept", link=link, request_id=request_id, session_id=session_id):
            expected = self._sender.expected
            expected.expect(request_id)
            try:
                accepted = await ask(
                    self._state,
                    Question(
                        user_id=user_id,
                        session_id=session_id,
                        request_id=request_id,
                        message=message.message,
                        config_name=message.config_name,
                        provider_name=message.provider or None,
                        file_ids=message.files or [],
                        message_id=message.message_id,
                    ),
                )
            except Exception:
                expected.forget(request_id)
                raise
        told = self._opening.wording.accept(accepted)
        return told if accepted.is_new else [*told, *await self._repeat(request_id, accepted)]

    async def _repeat(self, request_id: UUID, accepted: Accepted) -> list[str]:
        """What to tell who sends a message again; an answer that is to come is expected instead."""
        expected = self._sender.expected
        expected.forget(request_id)
        if accepted.answer_seq is None:
            expected.expect(accepted.request_id)
            return []
        answer = await self._delivery.repeat(accepted.answer_seq)
        return [self._opening.wording.tell(answer)] if answer else []

    async def _cancel(self, request_id: UUID) -> None:
        async with connect(self._state["database"]) as connection:
            request = await cancel(
                connection, self._state["notifications"], self._opening.user_id, request_id
            )
        if request is None:
            raise unknown_request(request_id)
