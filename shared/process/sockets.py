"""A WebSocket of the server: small, and in portions where thousands have something at once."""

import asyncio
import logging
from asyncio import TimerHandle
from collections.abc import Iterable
from functools import partial
from typing import Any, cast

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState

from shared.process.portions import Portions
from shared.process.strangers import forget

logger = logging.getLogger(__name__)

ABORT_SECONDS = 10.0  # after which a client has neither answered a close nor taken what came before
CONNECTION_CLOSE = (b"connection", b"close")
SEND = "websocket.send"  # of ASGI
EARLIER = "genai.earlier"  # extension of that: texts of frames that are written before, with it
LOST = 1006  # RFC 6455, 7.1.5: what no close frame has ended


class Portioned(ServerState):
    """What the sockets of a server share.

    What those say that go on does not wait for what those leave behind that have gone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.arrivals, self.farewells = Portions(), Portions()


class SocketProtocol(WebSocketsSansIOProtocol):
    """A WebSocket that is gone for good soon after either side has ended it.

    A closed transport stays as long as its client takes nothing, which may be for ever.
    """

    _aborting: TimerHandle | None = None
    _is_silent = False  # it has not answered a ping
    _unread = 0  # pieces that came and are to be read in a later turn

    def __init__(self, config: Any, server_state: Portioned, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, server_state, *args, **kwargs)
        self._shared = server_state
        self.queue = cast("Any", Inbox())
        self.writable = cast("Any", Gate())
        # What a server says that goes down would spoil the handshake.
        if CONNECTION_CLOSE in self.default_headers:
            self.default_headers = [
                each for each in self.default_headers if each != CONNECTION_CLOSE
            ]

    async def run_asgi(self) -> None:
        """Run the application; once it has ended there is only the close to be heard."""
        await super().run_asgi()
        self._abort_soon()

    async def send(self, message: Any) -> None:
        """Send, and wait until the client has taken most of it: others' memory is bounded too.

        Frames that came together are written together: a write takes longer than all else.
        """
        if earlier := message.get(EARLIER):
            await self.writable.wait()
            self._prepare(earlier)
        await super().send(message)
        if message["type"] == "websocket.accept" and self.handshake_complete:
            self.request = self.response = self.scope = cast("Any", None)  # nobody needs them
        await self.writable.wait()

    def _prepare(self, texts: Iterable[str]) -> None:
        """Have frames written with the next one. Raises ClientDisconnected."""
        try:
            for text in texts:
                self.conn.send_text(text.encode())
        except InvalidState:
            raise ClientDisconnected from None

    def data_received(self, data: bytes) -> None:
        """Read it, now or in its turn; nothing more is taken of the client before."""
        if not self._shared.arrivals.add(partial(self._read, data)):
            self._unread += 1
            self.transport.pause_reading()

    def _read(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except Exception:
            logger.exception("what came over a socket could not be read")
            self.transport.abort()
        if self._unread:
            self._unread -= 1
            if not self._unread and not self.read_paused:
                self.transport.resume_reading()

    def keepalive_timeout(self) -> None:
        """Close: the client has not answered a ping."""
        self._is_silent = not self.close_sent
        super().keepalive_timeout()
        self._abort_soon()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Hang up, now or in its turn."""
        return not self._in_order().add(self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell it, now or in its turn."""
        self._in_order().add(partial(self._lose, exc))

    def _in_order(self) -> Portions:
        """Where it comes after all that was said."""
        return self._shared.arrivals if self._unread else self._shared.farewells

    def _lose(self, exc: Exception | None) -> None:
        """Tell a loss from a goodbye, and forget the timer, which would keep this alive."""
        said_goodbye = self.conn.close_rcvd is not None or self.close_sent
        if self.handshake_complete and (self._is_silent or not said_goodbye):
            self.queue.put_nowait({"type": "websocket.disconnect", "code": LOST})
        super().connection_lost(exc)
        forget(self)
        if self._aborting is not None:
            self._aborting.cancel()

    def _abort_soon(self) -> None:
        if self._aborting is None and not self.disconnected:
            self._aborting = self.loop.call_later(ABORT_SECONDS, self.transport.abort)


class Inbox:
    """What came for an application: an `asyncio.Queue` would be fifteen times as large."""

    __slots__ = ("_came", "_waiting")

    def __init__(self) -> None:
        self._came: list[Any] = []
        self._waiting: asyncio.Future[None] | None = None

    def put_nowait(self, event: Any) -> None:
        """Add one."""
        self._came.append(event)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def empty(self) -> bool:
        """Whether all were taken."""
        return not self._came

    async def get(self) -> Any:
        """The oldest; one task may wait for it."""
        while not self._came:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        return self._came.pop(0)


class Gate:
    """What is nearly always open; only while it is not an `asyncio.Event` is kept."""

    __slots__ = ("_opened",)

    def __init__(self) -> None:
        self._opened: asyncio.Event | None = None

    def clear(self) -> None:
        """Close it."""
        self._opened = self._opened or asyncio.Event()

    def set(self) -> None:
        """Open it."""
        if self._opened is not None:
            self._opened.set()
            self._opened = None

    async def wait(self) -> None:
        """Wait until it is open."""
        if self._opened is not None:
            await self._opened.wait()
