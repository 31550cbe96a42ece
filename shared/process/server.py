"""Running a service: uvicorn, going down in order, and a true exit code."""

import asyncio
import gc
import json
import linecache
import logging
import signal
import sys
from asyncio import TimerHandle
from math import ceil
from socket import socket
from types import FrameType

import uvicorn
from attrs import frozen
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.process.drain import Drain
from shared.process.lean import GARBAGE_THRESHOLDS
from shared.process.sockets import CONNECTION_CLOSE, Portioned, SocketProtocol
from shared.process.strangers import TOO_MANY, Strangers, forget, key_of
from shared.settings.addresses import in_url
from shared.settings.common import CommonSettings

logger = logging.getLogger(__name__)

HARD_LIMIT = 4  # times the message limit: closed with 1009; anything below gets an answer
HEAD_LIMIT = 64 * 1024  # bytes of what is not a body: the first line, headers, trailers
HEAD_SECONDS = 10.0  # in which a head has to come
STALL_SECONDS = 60.0  # in which a client has to take something of what it asked for
PING_SECONDS = 20.0  # between pings
PONG_SECONDS = 20.0  # after which a client that does not answer one is gone
HANG_UP_SECONDS = 2.0  # in which clients answer the close of a server that goes down
POLL_SECONDS = 0.05
ABORT = "genai.abort"  # extension of ASGI: drops a connection, whatever was not taken

_TOLD = json.dumps({"detail": TOO_MANY}).encode()
TOO_MANY_STRANGERS = b"\r\n".join(
    [
        b"HTTP/1.1 429 Too Many Requests",
        b"content-type: application/json",
        b"content-length: %d" % len(_TOLD),
        b"retry-after: 1",
        b"connection: close",
        b"",
        _TOLD,
    ]
)


class HttpProtocol(HttpToolsProtocol):
    """HTTP whose heads have an end, and soon: the parser itself would wait, and keep, for ever.

    What an application's state has of `strangers` keeps an address from more of them than it may
    have: they are answered before they have said a word, which costs next to nothing.

    Counts what came since the last head, piece of a body or end. A single read may exceed the
    limit; its size is bounded by the event loop.
    """

    _unfinished = 0
    _head: TimerHandle | None = None
    _stalled: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a head, but not long; or answer 429 and hang up."""
        super().connection_made(transport)
        if _is_admitted(self):
            self._await_head()
        else:
            transport.write(TOO_MANY_STRANGERS)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer, which would keep this alive."""
        super().connection_lost(exc)
        self._stop_waiting()
        forget(self)
        self._go_on()

    def pause_writing(self) -> None:
        """Wait until the client takes something, but not for ever."""
        super().pause_writing()
        self._stalled = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It has."""
        super().resume_writing()
        self._go_on()

    def on_message_begin(self) -> None:
        """Wait for the rest of the head, but not long."""
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"abort": self.transport.abort}}
        if self._head is None:
            self._await_head()

    def data_received(self, data: bytes) -> None:
        """Parse; answer 400 and hang up where a head or a trailer is too long."""
        self._unfinished += len(data)
        super().data_received(data)
        if self._unfinished > HEAD_LIMIT and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")

    def on_headers_complete(self) -> None:
        """Count anew."""
        self._unfinished = 0
        self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count anew."""
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Count anew."""
        self._unfinished = 0
        super().on_message_complete()

    def _await_head(self) -> None:
        self._head = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _go_on(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def handle_websocket_upgrade(self) -> None:
        """Hand over and be gone: the parser and this would keep each other, and the transport."""
        super().handle_websocket_upgrade()
        self.parser = None  # type: ignore[assignment]


def _is_admitted(protocol: HttpProtocol) -> bool:
    """Count the connection as a stranger's, if its address may have one more."""
    strangers: Strangers | None = protocol.app_state.get("strangers")
    client = protocol.client  # None: a socket of the file system
    return strangers is None or client is None or strangers.admit(key_of(protocol), client[0])


class Server(uvicorn.Server):
    """Goes down in order: first seen to be unready, then its work ends, then it stops listening."""

    def __init__(self, config: uvicorn.Config, timeout: float) -> None:
        super().__init__(config)
        self.server_state = Portioned()
        self._timeout = timeout

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Go down in order; at the second signal at once."""
        if self.should_exit:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Drain, and then do what uvicorn does: it would close all sockets at once."""
        drain: Drain = self.lifespan.state["drain"]
        drain.has_begun = True
        logger.info("going down: not ready any more")
        await asyncio.sleep(drain.grace)
        now = asyncio.get_running_loop().time
        deadline = now() + self._timeout
        self.server_state.default_headers = [*self.server_state.default_headers, CONNECTION_CLOSE]
        working = set(self.server_state.tasks)
        await drain.leave(self._timeout)
        if working:
            await asyncio.wait(working, timeout=max(0, deadline - now()))
        await self._hang_up()
        self.config.timeout_graceful_shutdown = max(1, ceil(deadline - now()))
        await super().shutdown(sockets)

    async def _hang_up(self) -> None:
        """Let clients answer the close; it would not reach them otherwise. Then drop them."""
        for _ in range(ceil(HANG_UP_SECONDS / POLL_SECONDS)):
            if not self._connected():
                return
            await asyncio.sleep(POLL_SECONDS)
        for connection in self._connected():
            connection.transport.abort()

    def _connected(self) -> list[SocketProtocol]:
        connections = self.server_state.connections
        return [each for each in connections if isinstance(each, SocketProtocol)]


@frozen
class Listening:
    """Where a service listens, and the size of messages that it takes."""

    host: str
    port: int
    message_bytes: int = 64 * 1024
    metrics: tuple[str, int] = ("", 0)  # where Prometheus asks; port 0: nowhere

    @property
    def address(self) -> str:
        """The host and port of all that is not for Prometheus."""
        return f"{in_url(self.host)}:{self.port}"

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """All hosts and ports that it takes."""
        return [each for each in ((self.host, self.port), self.metrics) if each[1]]


def create_server(
    app: Starlette,
    settings: CommonSettings,
    listening: Listening,
    *,
    ping_seconds: float = PING_SECONDS,
    pong_seconds: float = PONG_SECONDS,
) -> Server:
    """The server of an application whose lifespan gives a `drain`."""
    config = uvicorn.Config(
        app,
        host=listening.host,
        port=listening.port,
        lifespan="on",
        loop="uvloop",
        http=HttpProtocol,
        ws=SocketProtocol,
        ws_max_size=HARD_LIMIT * listening.message_bytes,
        ws_ping_interval=ping_seconds,
        ws_ping_timeout=pong_seconds,
        ws_per_message_deflate=False,
        access_log=settings.debug,
        proxy_headers=False,  # the gateway has its own place for them
        log_config=None,
    )
    return Server(config, settings.drain_timeout)


def serve(settings: CommonSettings, app: Starlette, listening: Listening) -> None:
    """Run the service until it is told to stop; exits with 1 when it can't go on."""
    server = create_server(app, settings, listening)
    linecache.clearcache()  # a MiB of source that attrs has made of classes
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    server.run()
    if not server.started or server.lifespan.error_occured:
        sys.exit(1)
