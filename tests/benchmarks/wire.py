"""A load generator's side of HTTP/1.1 and WebSocket: as little work as the protocols allow.

It understands what is sent here and nothing else: answers with a length, streams of events in
chunks, unfragmented frames.
"""

import asyncio
import resource
from base64 import b64encode
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from itertools import batched
from typing import cast
from urllib.parse import SplitResult, urlsplit

from attrs import define, field, frozen

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
CHUNKED = b"transfer-encoding: chunked"
LINE_END = b"\r\n"
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
MASKED = 0x80
NO_MASK = bytes(4)  # a mask of zeros leaves the payload as it is
HOST = "127.0.0.1:80"  # programs on the same machine may be called so
NO_HEADERS: Mapping[str, str] = {}
IDLE_SECONDS = 2.0  # servers drop those that are idle for longer
BYTES_2, BYTES_8 = 126, 127  # the lengths that say how many bytes the length itself has


class BrokenConnectionError(Exception):
    """The server has hung up, or refused the handshake."""


@frozen
class Answer:
    """What came for a request."""

    status: int
    body: bytes


class _Client(asyncio.Protocol):
    """One connection, with what has come and was not yet understood."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._transport: asyncio.Transport
        self._waiting: asyncio.Future[None] | None = None
        self._has_ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        self._has_ended = True
        self._wake()

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._wake()

    @property
    def is_open(self) -> bool:
        """Whether the server has not dropped it."""
        return not self._has_ended

    def close(self) -> None:
        """Hang up."""
        self._transport.abort()

    async def _more(self) -> None:
        if self._has_ended:
            raise BrokenConnectionError(bytes(self._received[:200]).decode(errors="replace"))
        self._waiting = asyncio.get_running_loop().create_future()
        await self._waiting

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def _head(self) -> bytes:
        return await self._until(HEAD_END)

    async def _until(self, mark: bytes) -> bytes:
        while (end := self._received.find(mark)) < 0:
            await self._more()
        taken = bytes(self._received[:end])
        del self._received[: end + len(mark)]
        return taken

    async def _take(self, length: int) -> bytes:
        while len(self._received) < length:
            await self._more()
        taken = bytes(self._received[:length])
        del self._received[:length]
        return taken


class Http(_Client):
    """A connection that is kept, one request at a time."""

    async def ask(self, request: bytes) -> Answer:
        """Send a request as it stands and return its answer."""
        self._transport.write(request)
        head = (await self._head()).lower()
        at = head.index(LENGTH) + len(LENGTH)
        length = int(head[at : at + 20].split(b"\r", 1)[0])
        return Answer(int(head[9:12]), await self._take(length))


class _EventClient(_Client):
    """A connection whose answers are streams of server-sent events."""

    async def ask(self, request: bytes) -> AsyncGenerator[tuple[bytes, bytes]]:
        """The name and data of each event. Raises BrokenConnectionError where there are none."""
        self._transport.write(request)
        head = (await self._head()).lower()
        if b" 200 " not in head or CHUNKED not in head:
            raise BrokenConnectionError((head + self._received).decode(errors="replace"))
        text = b""
        while chunk := await self._chunk():
            *lines, text = (text + chunk).replace(LINE_END, b"\n").split(b"\n\n")
            for each in lines:
                yield _read_event(each)

    async def _chunk(self) -> bytes:
        """The next chunk; the last one is empty."""
        length = int(await self._until(LINE_END), 16)
        return (await self._take(length + len(LINE_END)))[:length]


@define
class _Kept[T: _Client]:
    """A connection to a server, which may drop one that is idle: that is not waited for."""

    url: str
    _client: T | None = field(default=None, init=False)
    _used_at: float = field(default=0.0, init=False)

    async def _connected(self, client: Callable[[], T]) -> T:
        now = asyncio.get_running_loop().time()
        if self._client is not None and now - self._used_at > IDLE_SECONDS:
            self.close()
        if self._client is None or not self._client.is_open:
            self._client = await _connect(urlsplit(self.url), client)
        self._used_at = now
        return self._client

    def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()
            self._client = None


@define
class Answers(_Kept[Http]):
    """Asks a server for answers in one piece."""

    async def ask(self, request: bytes) -> Answer:
        """Send a request as it stands and return its answer."""
        return await (await self._connected(Http)).ask(request)


@define
class Events(_Kept[_EventClient]):
    """Asks a server for events."""

    async def ask(self, request: bytes) -> AsyncGenerator[tuple[bytes, bytes]]:
        """The name and data of each event. Raises BrokenConnectionError where there are none."""
        client = await self._connected(_EventClient)
        async with aclosing(client.ask(request)) as events:
            async for each in events:
                yield each


def _read_event(text: bytes) -> tuple[bytes, bytes]:
    fields = dict(line.split(b": ", 1) for line in text.split(b"\n") if not line.startswith(b":"))
    return fields.get(b"event", b""), fields.get(b"data", b"")


class Socket(_Client):
    """A WebSocket; `receive` gives its text frames as they came."""

    def __init__(self) -> None:
        super().__init__()
        self.came: deque[bytes] = deque()
        """The text frames that were not received yet."""
        self._is_open = False

    async def handshake(self, path: str, headers: Mapping[str, str]) -> None:
        """Become a WebSocket."""
        key = b64encode(bytes(16)).decode()
        others = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._transport.write(
            f"GET {path} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{others}\r\n".encode()
        )
        if b" 101 " not in (head := await self._head()):
            raise BrokenConnectionError(head.decode(errors="replace"))
        self._is_open = True
        self.data_received(b"")  # what came with the head

    def data_received(self, data: bytes) -> None:
        self._received += data
        while self._is_open and (frame := self._next_frame()):
            kind, payload = frame
            if kind == TEXT:
                self.came.append(payload)
            elif kind == PING:
                self._send(PONG, payload)
            elif kind == CLOSE:
                self.close()
        self._wake()

    def send(self, text: bytes) -> None:
        """Send a text frame."""
        self._send(TEXT, text)

    def pause(self) -> None:
        """Take nothing more of what comes."""
        self._transport.pause_reading()

    async def receive(self) -> bytes:
        """The next text frame. Raises BrokenConnectionError."""
        while not self.came:
            await self._more()
        return self.came.popleft()

    def _next_frame(self) -> tuple[int, bytes] | None:
        received = self._received
        start, length = 2, received[1] if len(received) > 1 else 0
        if length >= BYTES_2:
            start += 2 if length == BYTES_2 else 8
            length = int.from_bytes(received[2:start])
        if len(received) < start + length:
            return None
        kind, payload = received[0] & 0xF, bytes(received[start : start + length])
        del received[: start + length]
        return kind, payload

    def _send(self, kind: int, payload: bytes) -> None:
        length = len(payload)
        if length < BYTES_2:
            size = bytes([MASKED | length])
        elif length < 1 << 16:
            size = bytes([MASKED | BYTES_2]) + length.to_bytes(2)
        else:
            size = bytes([MASKED | BYTES_8]) + length.to_bytes(8)
        self._transport.write(bytes([0x80 | kind]) + size + NO_MASK + payload)


def allow_files(count: int) -> int:
    """This process and its children may have so many files open, or as many as there can be."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = min(hard, count)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


@asynccontextmanager
async def connections(url: str, count: int) -> AsyncIterator[list[Http]]:
    """So many connections to the server of a URL; it drops those that are idle for long."""
    opened = [await _connect(urlsplit(url), Http) for _ in range(count)]
    yield opened
    for each in opened:
        each.close()


async def open_socket(url: str, headers: Mapping[str, str] = NO_HEADERS) -> Socket:
    """A WebSocket at a URL. Raises BrokenConnectionError where it is refused."""
    parts = urlsplit(url)
    socket = await _connect(parts, Socket)
    await socket.handshake(f"{parts.path}?{parts.query}", headers)
    return socket


async def open_sockets(urls: Sequence[str], at_a_time: int) -> list[Socket]:
    """A WebSocket at each URL, some at a time. Raises BrokenConnectionError."""
    return [
        socket
        for some in batched(urls, at_a_time)
        for socket in await asyncio.gather(*map(open_socket, some))
    ]


async def _connect[T: _Client](parts: SplitResult, client: Callable[[], T]) -> T:
    assert parts.hostname, "no host"
    assert parts.port, "no port"
    loop = asyncio.get_running_loop()
    _, connected = await loop.create_connection(client, parts.hostname, parts.port)
    return connected


def http_request(
    method: str,
    path: str,
    length: int = 0,
    token: str = "",
    kind: str = "",
    headers: Mapping[str, str] = NO_HEADERS,
) -> bytes:
    """The head of a request with a body of so many bytes of this media type; `_` is for `-`."""
    head = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", f"Content-Length: {length}"]
    head += [f"Authorization: Bearer {token}"] if token else []
    head += [f"Content-Type: {kind}"] if kind else []
    head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*head, "", ""]).encode()
