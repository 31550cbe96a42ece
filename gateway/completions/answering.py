"""Asking, and answering with what comes of it: at once as a stream, or when it is there."""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from typing import Protocol
from uuid import UUID

from starlette.responses import Response

from gateway.completions.errors import FailedAnswerError, RefusedError
from gateway.completions.speech import THOUGHTS_LIMIT, Asked, Event
from gateway.state import State
from gateway.streams.asking import (
    Accepted,
    ForeignSessionError,
    NotAcceptedError,
    Question,
    TooManyOpenError,
    ask,
    give_up,
)
from gateway.streams.following import SessionGoneError, follow_request
from gateway.streams.plain import Awaited
from gateway.streams.sse import RESTARTING, EventStream, open_stream
from gateway.web.answer import Answer
from gateway.web.errors import ApiError, TooManyRequestsError, UnavailableError
from gateway.web.operation import Call
from gateway.web.refusals import TOO_MANY_MESSAGES
from shared.domain.frames import FailureFrame, LogFrame, ResponseFrame

logger = logging.getLogger(__name__)

type TellWhole = Callable[[Asked, ResponseFrame, Sequence[str]], bytes]


class Telling(Protocol):
    """A form of a stream."""

    def begin(self) -> bytes:
        """What is told at once."""

    def tell(self, event: Event) -> bytes:
        """What is told of an event."""

    def fail(self, error: ApiError) -> bytes:
        """What is told where there is no answer."""


async def accept(state: State, question: Question) -> Accepted:
    """Store the question. Raises TooManyRequestsError, RefusedError."""
    try:
        return await ask(state, question)
    except TooManyOpenError as error:
        raise TooManyRequestsError(str(error), 1, TOO_MANY_MESSAGES) from None
    except ForeignSessionError as error:
        raise RefusedError(str(error), "metadata.session_id") from None
    except NotAcceptedError as error:
        raise RefusedError(str(error)) from None


def as_stream[Body, Parameters](
    call: Call[Body, Parameters], accepted: Accepted, telling: Telling
) -> Response:
    """The answer as it is made."""
    state, user_id = call.state, call.user_id
    return open_stream(
        call,
        EventStream(
            _tell(state, user_id, accepted, telling),
            on_hang_up=partial(give_up, state, user_id, accepted),
            farewell=lambda: telling.fail(UnavailableError(RESTARTING)),
        ),
    )


def as_one[Body, Parameters](
    call: Call[Body, Parameters], accepted: Accepted, asked: Asked, tell: TellWhole
) -> Response:
    """The answer when it is there. What it raises is answered in OpenAI's form."""
    state, user_id = call.state, call.user_id
    return open_stream(
        call,
        Awaited(
            partial(_wait, state, user_id, accepted, partial(tell, asked)),
            on_hang_up=partial(give_up, state, user_id, accepted),
        ),
    )


async def _tell(
    state: State, user_id: UUID, accepted: Accepted, telling: Telling
) -> AsyncGenerator[bytes]:
    yield telling.begin()
    try:
        async with follow_request(state, user_id, accepted) as events:
            async for event in events:
                if told := telling.tell(event):
                    yield told
    except SessionGoneError as error:
        yield telling.fail(FailedAnswerError(str(error)))


async def _wait(
    state: State,
    user_id: UUID,
    accepted: Accepted,
    tell: Callable[[ResponseFrame, Sequence[str]], bytes],
) -> Response:
    thoughts: list[str] = []
    left = THOUGHTS_LIMIT
    try:
        async with follow_request(state, user_id, accepted) as events:
            async for event in events:
                match event:
                    case LogFrame():
                        text = f"{event.log.message}\n"[: max(left, 0)]
                        left -= len(text)
                        thoughts.append(text)
                    case FailureFrame():
                        raise FailedAnswerError(event.error)
                    case ResponseFrame():
                        return Answer([tell(event, thoughts)], 200)
    except SessionGoneError as error:
        raise FailedAnswerError(str(error)) from None
    raise AssertionError(accepted.request_id)
