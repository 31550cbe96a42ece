"""What one has, as an archive to take along."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from typing import Any

from starlette.responses import Response

from gateway.audit.acting import acting, actor_of
from gateway.audit.actions import Action
from gateway.audit.noting import audit
from gateway.files.disposition import attachment
from gateway.leaving.alone import alone
from gateway.leaving.download import Download
from gateway.leaving.reading import Reading
from gateway.streams.sse import open_stream
from gateway.web.call import Call
from gateway.web.inputs import Nothing
from gateway.web.operation import Operation

ZIP = "application/zip"
NAME = "genai-account.zip"
ANSWER: dict[str, Any] = {
    "200": {
        "description": (
            "A ZIP with JSON lines of each kind of thing, the bytes of files under `files/`, and at"
            " last `manifest.json`, which says what is in it and what is not. It comes as it is"
            " read; one that is cut off has no end."
        ),
        "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}},
    }
}


async def read_export(call: Call[Nothing, Nothing]) -> Response:
    """Download all that one has, as a ZIP.

    Secrets are not in it. One at a time.
    """
    one = await call.held.enter_async_context(AsyncExitStack())
    keep = await one.enter_async_context(alone(call, "export"))
    async with acting(call) as connection:
        owner = call.user_id
        action = Action.USER_EXPORTED
        await audit(connection, actor_of(call), action, object_id=owner, owner_id=owner)
    reading = Reading(call.database, call.state["storage"], owner, keep)
    pieces = _then(reading.pieces(), one.aclose)
    return open_stream(call, Download(pieces, ZIP, attachment(NAME, NAME)))


async def _then(
    pieces: AsyncGenerator[bytes], end: Callable[[], Awaitable[None]]
) -> AsyncGenerator[bytes]:
    """The pieces, and `end` before anybody sees that they are all: who has one may ask again."""
    async with aclosing(pieces):
        async for piece in pieces:
            yield piece
    await end()


operations = [
    Operation(
        method="GET",
        path="/api/me/export",
        handler=read_export,
        result=Response,
        responses=ANSWER,
        bounded=True,
        lends=False,
    ),
]
