"""Asking, and answering with what comes of it: at once as a stream, or when it is there."""

from asyncio import Future
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import cache, partial
from typing import Protocol
from uuid import UUID

from attrs import frozen
from starlette.responses import Response

from gateway.completions.errors import FailedAnswerError, RefusedError
from gateway.completions.speech import THOUGHTS_LIMIT, Asked, Event
from gateway.state import State
from gateway.streams.asking import Accepted, ForeignSessionError, NotAcceptedError, give_up
from gateway.streams.following import SessionGoneError, follow_request
from gateway.streams.plain import Awaited
from gateway.streams.sse import EventStream, open_stream
from gateway.web.answer import Answer
from gateway.web.call import Call
from gateway.web.errors import ApiError
from shared.domain.frames import FailureFrame, LogFrame, ResponseFrame

type TellWhole = Callable[[Asked, ResponseFrame, Sequence[str]], bytes]


class Telling(Protocol):
    """A form of a stream."""

    def begin(self) -> bytes:
        """What is told at once."""

    def tell(self, event: Event) -> bytes:
        """What is told of an event."""

    def fail(self, error: ApiError) -> bytes:
        """What is told where there is no answer."""


@frozen
class Taken:
    """A question that is stored, and what stands in its answer."""

    accepted: Accepted
    asked: Asked


def refuse(error: NotAcceptedError) -> RefusedError:
    """What is told of a question that is not taken."""
    return RefusedError(
        str(error), "metadata.session_id" if isinstance(error, ForeignSessionError) else None
    )


def as_stream[Body, Parameters](
    call: Call[Body, Parameters], taken: Future[Taken], make: Callable[[Asked], Telling]
) -> Response:
    """The answer as it is made, to what will be taken.

    There may be no room for it: that is to be known before anything is asked. Raises
    TooManyRequestsError, UnavailableError.
    """
    state, user_id = call.state, call.user_id
    telling = cache(lambda: make(taken.result().asked))
    stream = EventStream(
        _tell(state, user_id, taken, telling),
        on_hang_up=partial(_give_up, state, user_id, taken),
        farewell=lambda why: telling().fail(why),
    )
    return open_stream(call, stream)


def as_one[Body, Parameters](
    call: Call[Body, Parameters], taken: Future[Taken], tell: TellWhole
) -> Response:
    """The same when it is there. What it raises is answered in OpenAI's form."""
    state, user_id = call.state, call.user_id
    answer = Awaited(
        partial(_wait, state, user_id, taken, tell),
        on_hang_up=partial(_give_up, state, user_id, taken),
    )
    return open_stream(call, answer)


async def _give_up(state: State, user_id: UUID, taken: Future[Taken]) -> None:
    await give_up(state, user_id, taken.result().accepted)


async def _tell(
    state: State, user_id: UUID, taken: Future[Taken], telling: Callable[[], Telling]
) -> AsyncGenerator[bytes]:
    form = telling()
    yield form.begin()
    try:
        async with follow_request(state, user_id, taken.result().accepted) as events:
            async for event in events:
                if told := form.tell(event):
                    yield told
    except SessionGoneError as error:
        yield form.fail(FailedAnswerError(str(error)))


async def _wait(state: State, user_id: UUID, taken: Future[Taken], tell: TellWhole) -> Response:
    thoughts: list[str] = []
    left = THOUGHTS_LIMIT
    accepted, asked = taken.result().accepted, taken.result().asked
    try:
        async with follow_request(state, user_id, accepted) as events:
            async for event in events:
                match event:
                    case LogFrame() if left > 0:
                        thoughts.append(f"{event.log.message}\n"[:left])
                        left -= len(thoughts[-1])
                    case FailureFrame():
                        raise FailedAnswerError(event.error)
                    case ResponseFrame():
                        return Answer([tell(asked, event, thoughts)], 200)
    except SessionGoneError as error:
        raise FailedAnswerError(str(error)) from None
    raise AssertionError(accepted.request_id)
