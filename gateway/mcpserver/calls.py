"""Calls of tools: a question, and a stream of what comes of it, which ends with the result.

What a break of the stream means is for the revision to say. Up to 2025-11-25 it means nothing: the
client comes back, to any gateway, and says what it was told last. In later ones it is how a client
cancels.
"""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any
from uuid import UUID

from attrs import frozen
from mcp import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_REQUEST
from mcp_types.version import is_version_at_least
from starlette.responses import Response

from gateway.mcpserver.asking import ASK
from gateway.mcpserver.contents import Contents
from gateway.mcpserver.exchanges import COME_BACK, RESUMING, Exchange, answer, trimmed
from gateway.mcpserver.places import Place
from gateway.mcpserver.queries import Called, select_call, select_called
from gateway.mcpserver.questions import UnfitCallError
from gateway.mcpserver.schemas import RefusedMessageError, is_id
from gateway.mcpserver.server import shape
from gateway.mcpserver.tools import question_of
from gateway.mcpserver.words import Telling, refusal
from gateway.openapi.schemas import Json
from gateway.requests.cancellation import cancel
from gateway.state import State
from gateway.streams.asking import Accepted, NotAcceptedError, ask, give_up
from gateway.streams.following import SessionGoneError, follow_request, hear
from gateway.streams.sse import EventStream, encode_event, open_stream
from gateway.web.call import Call
from gateway.web.errors import ApiError
from shared.codec.text import write_json
from shared.domain.frames import ResponseFrame
from shared.postgres.pool import connect

LOST = "Nothing is known of the event after which the client wants to go on"
USED = "The id was used before in this session"


@frozen
class Followed:
    """A call that is told to its client, which may have come back to it."""

    owner: UUID
    accepted: Accepted
    telling: Telling
    version: str
    is_modern: bool
    is_primed: bool = False

    @property
    def can_come_back(self) -> bool:
        """Whether its client has the id of an event to go on after."""
        has_one = is_version_at_least(self.version, RESUMING) or self.telling.place.progress > 0
        return has_one and not self.is_modern


type Asked = asyncio.Future[Followed]


async def call_tool(call: Call[Any, Any], exchange: Exchange) -> Response:
    """Ask whom the tool stands for. Raises MCPError, TooManyRequestsError, UnavailableError."""
    asked: Asked = asyncio.get_running_loop().create_future()
    stream = _open(call, asked)
    assert exchange.id is not None
    try:
        accepted = await _ask(call, exchange)
    except (UnfitCallError, NotAcceptedError) as error:
        shaped = shape("tools/call", exchange.version, refusal(str(error)))
        return answer(exchange.id, shaped)
    if not accepted.is_new:
        raise MCPError(INVALID_REQUEST, USED)
    place = Place(
        exchange.id, exchange.token, accepted.request_id, accepted.session_id, accepted.seq
    )
    is_asking = (exchange.params or {})["name"] == ASK
    asked.set_result(
        Followed(
            call.user_id,
            accepted,
            Telling(place, with_session=is_asking),
            exchange.version,
            exchange.is_modern,
            exchange.is_primed,
        )
    )
    return stream


async def resume_call(call: Call[Any, Any], version: str, event_id: str) -> Response:
    """Go on after an event that the client was told. Raises RefusedMessageError."""
    asked: Asked = asyncio.get_running_loop().create_future()
    stream = _open(call, asked)
    place = Place.read(event_id)
    found = None if place is None else await _find(call, place)
    if place is None or found is None:
        raise RefusedMessageError(LOST)
    ids = place.request_id, place.session_id
    accepted = Accepted(*ids, None, place.seq, is_new=False, answer_seq=found.answer_seq)
    telling = Telling(place, with_session=found.is_to_master)
    asked.set_result(Followed(call.user_id, accepted, telling, version, is_modern=False))
    return stream


async def cancel_call(call: Call[Any, Any], exchange: Exchange) -> None:
    """End what the client has called with an id, whichever gateway tells it about that."""
    id_ = (exchange.params or {}).get("requestId")
    called = exchange.called(call.user_id, id_) if is_id(id_) else None
    if called is None:
        return
    async with call.turn("cancel_call"), connect(call.database) as connection:
        for request_id in await select_called(connection, call.user_id, called):
            await cancel(connection, call.state["notifications"], call.user_id, request_id)


def _open(call: Call[Any, Any], asked: Asked) -> Response:
    """A stream to what will be asked: whether there is room for it is to be known before."""
    state = call.state
    stream = EventStream(
        _tell(state, asked),
        on_hang_up=partial(_hang_up, state, asked),
        farewell=partial(_leave, asked),
    )
    return open_stream(call, stream)


async def _ask(call: Call[Any, Any], exchange: Exchange) -> Accepted:
    most = call.state["settings"].max_message_bytes
    async with call.turn("call_tool"), connect(call.database) as connection:
        headers = trimmed(call.request.headers)
        question = await question_of(connection, call.user_id, exchange, headers, most)
        with_parts = exchange.token is not None
        await call.held.enter_async_context(hear(call.state, question, with_parts=with_parts))
        return await ask(call.state, question)


async def _find(call: Call[Any, Any], place: Place) -> Called | None:
    """The request; None also where its answer is said to have been told, which has no place."""
    ids = place.session_id, place.request_id
    async with call.turn("resume_call"), connect(call.database) as connection:
        found = await select_call(connection, call.user_id, *ids)
    is_told = found is not None and found.answer_seq is not None and found.answer_seq <= place.seq
    return None if is_told else found


async def _tell(state: State, asked: Asked) -> AsyncGenerator[bytes]:
    followed = asked.result()
    telling = followed.telling
    if followed.is_primed:
        yield COME_BACK + encode_event(b"", id_=str(telling.place))
    try:
        async with follow_request(
            state, followed.owner, followed.accepted, with_parts=telling.is_told
        ) as events:
            async for event in events:
                if isinstance(event, ResponseFrame):
                    yield _encode(await _end(state, followed, event))
                elif message := telling.tell(event):
                    place = None if followed.is_modern else str(telling.place)
                    yield encode_event(write_json(message), id_=place)
    except SessionGoneError as error:
        yield _encode(telling.fail(INTERNAL_ERROR, str(error)))


async def _end(state: State, followed: Followed, frame: ResponseFrame) -> Json:
    contents = Contents(state["storage"], followed.version)
    told = followed.telling.end(frame, await contents.of(frame.response.files))
    if "result" in told:
        told["result"] = shape("tools/call", followed.version, told["result"])
    return told


def _leave(asked: Asked, why: ApiError) -> bytes:
    followed = asked.result()
    if followed.can_come_back:
        return b""
    return _encode(followed.telling.fail(INTERNAL_ERROR, why.detail))


async def _hang_up(state: State, asked: Asked) -> None:
    followed = asked.result()
    if followed.is_modern or followed.telling.has_failed:
        await give_up(state, followed.owner, followed.accepted)


def _encode(message: Json) -> bytes:
    return encode_event(write_json(message))
