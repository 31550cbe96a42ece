"""A session without sockets: messages in by POST, what happens out as server-sent events."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated
from uuid import UUID

import attrs
from attrs import frozen
from msgspec import Meta
from starlette.responses import Response

from gateway.chats.frames import ClientMessage, check_size
from gateway.chats.protocols import AcceptedFrame, Second, accepted_frame
from gateway.chats.schemas import WhichChat
from gateway.openapi.schemas import Json
from gateway.state import State
from gateway.streams.accepting import accept
from gateway.streams.delivery import Outgoing
from gateway.streams.following import follow
from gateway.streams.frame_queries import select_session
from gateway.streams.questions import Question
from gateway.streams.sse import LAST_EVENT_ID, RETRY, EventStream, encode_event, open_stream
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from shared.codec.converter import structure
from shared.codec.faults import InvalidInputError
from shared.postgres.pool import connect

EVENTS: Json = {
    "description": "Frames of the socket's protocol 2, for as long as the client likes",
    "content": {"text/event-stream": {"schema": {}}},
}


@frozen
class WhichSession:
    """A session, which may be one that has not begun."""

    session_id: WhichChat


@frozen
class WhichEvents:
    """A session, and from where on."""

    session_id: WhichChat
    after: (
        Annotated[int, Meta(ge=0, description="Tell those whose `seq` is higher first.")] | None
    ) = None


async def create_message(call: Call[ClientMessage, WhichSession]) -> AcceptedFrame:
    """Send a message into a session, which begins with it if need be.

    What happens to it is told on the session's sockets and streams `after` this `seq`.
    """
    message = call.body
    check_size(message, call.state["settings"].max_message_bytes)
    question = Question(
        user_id=call.user_id,
        session_id=call.parameters.session_id,
        message=message.message,
        config_name=message.config_name,
        provider_name=message.provider or None,
        file_ids=message.files or [],
        message_id=message.message_id,
    )
    return accepted_frame(await accept(call.state, question))


async def read_events(call: Call[Nothing, WhichEvents]) -> Response:
    """Follow a session: each event is a frame of the socket's second protocol.

    `id` is the `seq` of what is stored: whoever connects again with it as `Last-Event-ID`, or as
    `after`, misses nothing and gets nothing twice. Parts of answers have none.
    """
    session_id = call.parameters.session_id
    after = _last_event(call)
    async with connect(call.database) as connection:
        session = await select_session(connection, call.user_id, session_id)
    if session is not None and not session.is_own:
        raise BadRequestError(f"Chat with session_id {session_id} does not exist")
    last_seq = session.last_seq if session else 0
    sent = last_seq if after is None else min(after, last_seq)
    pieces = _tell(call.state, call.user_id, session_id, sent)
    return open_stream(call, EventStream(pieces, ends_by_itself=False))


def _last_event(call: Call[Nothing, WhichEvents]) -> int | None:
    """The last that the client has: a browser says that of itself when it connects again."""
    given = call.request.headers.get(LAST_EVENT_ID)
    if not given:
        return call.parameters.after
    try:
        named = {"session_id": str(call.parameters.session_id), "after": given}
        asked = structure(named, WhichEvents)
    except InvalidInputError as error:
        faults = [attrs.evolve(each, loc=("header", LAST_EVENT_ID)) for each in error.faults]
        raise InvalidInputError(faults) from None
    return asked.after


async def _tell(state: State, user_id: UUID, session_id: UUID, sent: int) -> AsyncGenerator[bytes]:
    wording = Second()
    yield RETRY
    async with (
        follow(state, user_id, session_id, sent, with_parts=True) as feed,
        aclosing(feed.events()) as events,
    ):
        async for event in events:
            place = event.seq if isinstance(event, Outgoing) else None
            yield encode_event(wording.tell(event).encode(), id_=place)
