"""Waiting for the answer of a request, and telling it, or where it will be."""

import asyncio
from typing import Any
from uuid import UUID

import attrs
from attrs import frozen
from starlette.responses import Response

from gateway.invocations.errors import GoneError
from gateway.invocations.schemas import FailedInvocation, InvocationAnswer, OpenInvocation
from gateway.requests.queries import select_request
from gateway.state import State
from gateway.streams.asking import Accepted
from gateway.streams.following import SessionGoneError, follow_to_the_end
from gateway.streams.plain import Awaited
from gateway.streams.sse import open_stream
from gateway.web.addresses import base_of
from gateway.web.answer import Answer
from gateway.web.call import Call
from shared.codec.converter import dump
from shared.domain.frames import FailureFrame, ResponseFrame
from shared.postgres.pool import connect

ANSWERED_SECONDS = 5.0  # for the reading of an answer that there is
STATUSES = {"cancelled": 409, "timed_out": 504}  # of what failed; else 502
FAILED = 502


@frozen
class Waiting:
    """Who waits for the answer of a request, and for how long."""

    state: State
    user_id: UUID
    seconds: float
    base: str
    """What stands before our paths for this client."""

    async def answer(self, accepted: Accepted) -> Response:
        """The answer, or when the time is up where it will be. Raises GoneError."""
        seconds = self.seconds
        if accepted.answer_seq is not None:
            accepted = attrs.evolve(accepted, seq=accepted.answer_seq - 1)
            seconds = max(seconds, ANSWERED_SECONDS)
        frame = await self._wait(accepted, seconds) if seconds else None
        return self.tell_open(accepted) if frame is None else await self._tell(frame)

    def tell_open(self, accepted: Accepted) -> Response:
        """Where the answer of a request will be."""
        told = OpenInvocation(
            accepted.request_id, accepted.session_id, accepted.message_id, accepted.seq
        )
        where = f"{self.base}/api/requests/{accepted.request_id}/answer"
        return Answer([dump(told)], 202, {"Location": where})

    async def _wait(self, accepted: Accepted, seconds: float) -> ResponseFrame | None:
        """None: the time is up. The task may have lost a connection then, and asks no more."""
        try:
            async with asyncio.timeout(seconds):
                return await follow_to_the_end(self.state, self.user_id, accepted)
        except TimeoutError:
            return None
        except SessionGoneError as error:
            raise GoneError(str(error)) from None

    async def _tell(self, frame: ResponseFrame) -> Response:
        told = attrs.asdict(frame.response, recurse=False)
        if not isinstance(frame, FailureFrame):
            return Answer([dump(InvocationAnswer(**told))], 200)
        async with connect(self.state["database"]) as connection:
            request = await select_request(connection, self.user_id, frame.response.request_id)
        status = STATUSES.get(request.status, FAILED) if request else FAILED
        return Answer([dump(FailedInvocation(**told, detail=frame.error))], status)


def answer_soon(
    call: Call[Any, Any], seconds: float, accept: "asyncio.Future[Accepted]"
) -> Response:
    """The answer to what will be accepted.

    There may be no room to wait for it: that is to be known before anything is asked. The request
    goes on, whoever hangs up or goes down. Raises TooManyRequestsError, UnavailableError.
    """
    base = base_of(call.request, call.state["settings"])
    waiting = Waiting(call.state, call.user_id, seconds, base)
    answer = Awaited(
        lambda: waiting.answer(accept.result()),
        farewell=lambda _: waiting.tell_open(accept.result()),
    )
    return open_stream(call, answer)
