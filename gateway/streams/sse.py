"""Server-sent events: a response that goes on for as long as there is something to tell.

Source of the format: the HTML standard, 9.2.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from functools import partial
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.streams.sockets import GoingDownError, Over, TooManySocketsError
from gateway.web.auth import DEAD_TOKEN
from gateway.web.call import Call
from gateway.web.errors import (
    ApiError,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
)
from gateway.web.metrics import STREAMS_OPEN
from gateway.web.refusals import TOKEN, TOO_MANY_SOCKETS
from shared.process.server import ABORT

logger = logging.getLogger(__name__)

COMMENT_SECONDS = 15.0  # proxies drop what is silent for longer
SEND_SECONDS = 20.0
RESTARTING = "The server is restarting, please try again"
COMMENT = b":\n\n"
RETRY = b"retry: 1000\n\n"
LAST_EVENT_ID = "last-event-id"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would keep what comes until it has a buffer full
}


def encode_event(data: bytes, *, id_: int | str | None = None, event: str = "") -> bytes:
    """An event whose data is one line, such as JSON."""
    name = f"event: {event}\n".encode() if event else b""
    place = b"" if id_ is None else f"id: {id_}\n".encode()
    return b"%b%bdata: %b\n\n" % (name, place, data)


async def nothing() -> None:
    """Do nothing."""


def _silently(_why: ApiError) -> bytes:
    return b""


class _TooSlowError(Exception):
    """The client takes nothing."""


class Leaving(Response):
    """An answer that takes a while: a gateway that goes down waits for it, as long as it can."""

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(headers=headers)
        self._is_left = asyncio.Event()
        self._has_ended = asyncio.Event()
        self._why: ApiError = UnavailableError(RESTARTING)

    async def leave(self, seconds: float) -> None:
        """End it, within so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._has_ended.wait()
        self._is_left.set()

    async def close(self, why: Over) -> None:
        """End it now: its caller may not call any more."""
        self._why = UnauthorizedError(f"{DEAD_TOKEN}: {why.value}", TOKEN)
        self._is_left.set()

    def end(self) -> None:
        """Nobody has to wait for it any more: it was told, or will not begin."""
        self._has_ended.set()


class EventStream(Leaving):
    """Sends pieces as they come, and comments in between; a client that takes none is cut off."""

    media_type = "text/event-stream"

    def __init__(
        self,
        pieces: AsyncGenerator[bytes],
        *,
        on_hang_up: Callable[[], Awaitable[None]] = nothing,
        ends_by_itself: bool = True,
        farewell: Callable[[ApiError], bytes] = _silently,
    ) -> None:
        """`on_hang_up` is called when nobody waits for the end any more.

        A gateway that goes down waits for the end of what `ends_by_itself`; then, and of anything
        else at once, the last piece is the `farewell`, which is given the reason. So it is where
        the caller may not call any more.
        """
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._pieces = pieces
        self._on_hang_up = on_hang_up
        self._ends_by_itself = ends_by_itself
        self._farewell = farewell
        self._sending = asyncio.Lock()
        self._sent_at = 0.0

    async def leave(self, seconds: float) -> None:
        """End it, within so many seconds."""
        if self._ends_by_itself:
            await super().leave(seconds)
        else:
            self._is_left.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it to its end, or the client's."""
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        if scope["method"] == "HEAD":
            await self._pieces.aclose()
            await send({"type": "http.response.body", "body": b""})
            return
        put = partial(self._put, scope, send)
        with STREAMS_OPEN.track_inprogress():
            telling = asyncio.create_task(self._tell(put))
            gone = asyncio.create_task(until_gone(receive))
            left = asyncio.create_task(until(self._is_left))
            commenting = asyncio.create_task(self._comment(put))
            ends = {telling, gone, left}
            done: set[asyncio.Task[None]] = set()
            try:
                done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (*ends, commenting):
                    task.cancel()
                await asyncio.gather(*ends, commenting, return_exceptions=True)
        try:
            if telling in done:
                telling.result()
            elif left in done:
                await put(self._farewell(self._why))
                await self._on_hang_up()
            else:
                await self._on_hang_up()
                return
        except _TooSlowError:
            await self._on_hang_up()
            return
        await send({"type": "http.response.body", "body": b""})

    async def _tell(self, put: Callable[[bytes], Awaitable[None]]) -> None:
        async with aclosing(self._pieces) as pieces:
            async for piece in pieces:
                await put(piece)

    async def _comment(self, put: Callable[[bytes], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        self._sent_at = loop.time()
        while True:
            await asyncio.sleep(self._sent_at + COMMENT_SECONDS - loop.time())
            if loop.time() >= self._sent_at + COMMENT_SECONDS:
                await put(COMMENT)

    async def _put(self, scope: Scope, send: Send, piece: bytes) -> None:
        """Send a piece. Raises _TooSlowError: the client does not take it, and is cut off."""
        try:
            async with asyncio.timeout(SEND_SECONDS), self._sending:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            logger.info("%s %s: the client was too slow", scope["method"], scope["path"])
            scope["extensions"][ABORT]["abort"]()
            raise _TooSlowError from None
        self._sent_at = asyncio.get_running_loop().time()


async def until(event: asyncio.Event) -> None:
    """Wait for it."""
    await event.wait()


async def until_gone(receive: Receive) -> None:
    """Wait until the client has gone; what it still sends is read over."""
    while (await receive())["type"] != "http.disconnect":
        pass


def open_stream[Stream: Leaving](call: Call[Any, Any], stream: Stream) -> Stream:
    """Count a stream among what its user has open here.

    Raises TooManyRequestsError, UnavailableError.
    """
    assert call.caller is not None
    try:
        opened = call.state["sockets"].opened(call.caller, stream)
        call.held.enter_context(opened)
        call.held.callback(stream.end)
    except TooManySocketsError:
        detail = "You have too many open sockets and streams"
        raise TooManyRequestsError(detail, 1, TOO_MANY_SOCKETS) from None
    except GoingDownError:
        raise UnavailableError(RESTARTING) from None
    return stream
