"""A stream that tells pages which lists to read again."""

from collections.abc import AsyncGenerator
from uuid import UUID

from starlette.responses import Response

from gateway.changes.queries import TOPICS
from gateway.changes.schemas import Changed
from gateway.openapi.schemas import Json
from gateway.state import State
from gateway.streams.sse import LAST_EVENT_ID, RETRY, EventStream, open_stream
from gateway.web.call import Call
from gateway.web.inputs import Nothing
from gateway.web.operation import Operation
from shared.codec.converter import dump

EVENTS: Json = {
    "description": '`{"changed": […]}`, for as long as the client likes: of which kinds of the '
    "user's things (`agents`, `flows`, `servers`, `chats`, `requests`) something is new, other "
    "or gone",
    "content": {"text/event-stream": {"schema": {}}},
}


async def read_changes(call: Call[Nothing, Nothing]) -> Response:
    """Follow what changes among the user's things, and those that are shared with him.

    The first event names no kind: what is read after it misses nothing that comes later. A client
    that connects again with the `id` of its last event as `Last-Event-ID` is told at once what has
    changed since, at whichever gateway. Chats are the user's newest 1,000. It takes a second.
    """
    known = call.request.headers.get(LAST_EVENT_ID, "").split(".")
    pieces = _tell(call.state, call.user_id, tuple(known))
    return open_stream(call, EventStream(pieces, ends_by_itself=False))


async def _tell(state: State, owner: UUID, known: tuple[str, ...]) -> AsyncGenerator[bytes]:
    yield RETRY
    async with state["topics"].of(owner) as states:
        async for now in states:
            before = known if len(known) == len(now) else now
            changed = [
                topic for topic, old, new in zip(TOPICS, before, now, strict=True) if old != new
            ]
            yield b"data: %b\nid: %b\n\n" % (dump(Changed(changed)), ".".join(now).encode())
            known = now


operations = [
    Operation(
        method="GET",
        path="/api/changes",
        handler=read_changes,
        result=Response,
        responses={"200": EVENTS},
        fails=False,
        bounded=True,
        lends=False,
    )
]
