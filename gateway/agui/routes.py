"""Runs of agents in the protocol AG-UI: what is asked comes in, what happens goes out as events."""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial
from uuid import UUID

from attrs import frozen
from starlette.responses import Response

from gateway.agui.questions import question_of
from gateway.agui.run import Run, fail, known_of
from gateway.agui.schemas import RunAgentInput
from gateway.openapi.schemas import Json
from gateway.state import State
from gateway.streams.accepting import accept
from gateway.streams.asking import Accepted, give_up
from gateway.streams.following import SessionGoneError, follow_request, hear
from gateway.streams.histories import BODY_LIMIT
from gateway.streams.sse import EventStream, encode_event, open_stream
from gateway.web.call import Call
from gateway.web.errors import ApiError, UnavailableError
from gateway.web.inputs import Nothing
from gateway.web.operation import Operation
from shared.codec.text import write_json
from shared.postgres.pool import connect

EVENTS: Json = {
    "description": "Events of AG-UI 1.0, up to the end of the run",
    "content": {"text/event-stream": {"schema": {}}},
}
LEAVES = "The server is restarting and the run goes on: send the same messages again"


@frozen
class Asked:
    """What was asked, and how it is told; nothing else of a body is kept while it runs."""

    owner: UUID
    accepted: Accepted
    run: Run


def _say_farewell(why: ApiError) -> bytes:
    is_restart = isinstance(why, UnavailableError)
    return _encode(fail("restarting", LEAVES) if is_restart else fail("unauthorized", why.detail))


async def create_run(call: Call[RunAgentInput, Nothing]) -> Response:
    """Have the last message of a user answered in its thread, as AG-UI does.

    The messages before it become the history of a thread that is new, and count no more in one
    that is not. The same message again, by its id, starts nothing: it gets the same answer, of
    which is told what its front-end does not send. Whoever hangs up cancels the run.
    """
    asked: asyncio.Future[Asked] = asyncio.get_running_loop().create_future()
    stream = EventStream(
        _tell(call.state, asked),
        on_hang_up=partial(_give_up, call.state, asked),
        farewell=_say_farewell,
    )
    open_stream(call, stream)  # before anything is asked: there may be no room
    accepted, given = await _ask(call), call.body
    known = known_of(given.later, accepted.request_id)
    run = Run(given.threadId, given.runId, accepted.request_id, known)
    asked.set_result(Asked(call.user_id, accepted, run))
    return stream


async def _ask(call: Call[RunAgentInput, Nothing]) -> Accepted:
    async with call.turn("create_run"), connect(call.database) as connection:
        question = await question_of(call, connection)
        await call.held.enter_async_context(hear(call.state, question, with_parts=True))
        return await accept(call.state, question)


async def _tell(state: State, future: asyncio.Future[Asked]) -> AsyncGenerator[bytes]:
    asked = future.result()
    yield _encode(asked.run.start())
    with state["followed"].follow(asked.accepted.request_id):
        try:
            async with follow_request(state, asked.owner, asked.accepted) as events:
                async for event in events:
                    for told in asked.run.tell(event):
                        yield _encode(told)
        except SessionGoneError as error:
            yield _encode(fail("gone", str(error)))


async def _give_up(state: State, future: asyncio.Future[Asked]) -> None:
    """End the request, unless somebody else follows it here, or it is this gateway that leaves."""
    asked = future.result()
    is_followed = asked.accepted.request_id in state["followed"]
    if not is_followed and not state["sockets"].is_leaving:
        await give_up(state, asked.owner, asked.accepted)


def _encode(event: Json) -> bytes:
    return encode_event(write_json(event))


operations = [
    Operation(
        method="POST",
        path="/ag-ui",
        handler=create_run,
        body=RunAgentInput,
        most_bytes=BODY_LIMIT,
        result=Response,
        responses={"200": EVENTS},
        bounded=True,
        lends=False,
    )
]
