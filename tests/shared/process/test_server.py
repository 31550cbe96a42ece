"""The server of both services: clients that vanish, and what is left of them."""

import asyncio
import socket
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from struct import pack
from typing import cast

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import connect

from devstack.processes import HOST
from shared.process.drain import Drain
from shared.process.portions import PORTION
from shared.process.server import HEAD_LIMIT, Listening, Server, create_server
from shared.process.sockets import EARLIER, LOST, SEND, Portioned
from shared.settings.installation import Settings
from tests.users import eventually

PING_SECONDS = 0.2
LARGE = 8 * 1024 * 1024  # more than the kernel takes for a client that does not read
CLOSE_1011 = b"\x03\xf3"
HANDSHAKE = (
    f"GET /{{path}} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {b64encode(bytes(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def listen(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.receive()


async def say_three_together(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.receive()
    await websocket.send({"type": SEND, "text": "three", EARLIER: ["one", "two"]})


async def say_three_too_late(websocket: WebSocket) -> None:
    await websocket.accept()
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
    with pytest.raises(WebSocketDisconnect):
        await websocket.send({"type": SEND, "text": "three", EARLIER: ["one", "two"]})
    codes.append(LOST)


codes: list[int] = []
"""Of the sockets that `note` has served, as the application was told."""


async def note(websocket: WebSocket) -> None:
    await websocket.accept()
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        pass
    codes.append(message["code"])


said: list[list[str]] = []
"""What each of the sockets that `collect` has served was told, in its order."""


async def collect(websocket: WebSocket) -> None:
    await websocket.accept()
    texts = []
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        texts.append(message["text"])
    said.append(texts)
    codes.append(message["code"])


async def overwhelm_and_leave(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("x" * LARGE)


async def overwhelm(websocket: WebSocket) -> None:
    await overwhelm_and_leave(websocket)
    await websocket.receive()


async def answer_much(_request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(LARGE // 65536):
            yield bytes(65536)

    return StreamingResponse(pieces())


async def count(request: Request) -> Response:
    return Response(str(len(await request.body())))


HTTP = [Route("/", count, methods=["POST"]), Route("/much", answer_much)]


async def leave(_seconds: float) -> None:
    """There is nothing to end."""


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Drain]]:
    yield {"drain": Drain(leave)}


@pytest.fixture
async def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setattr("shared.process.sockets.ABORT_SECONDS", 0.3)
    saying = say_three_together, say_three_too_late
    endpoints = (listen, note, collect, overwhelm, overwhelm_and_leave, *saying)
    codes.clear()
    said.clear()
    routes = [WebSocketRoute(f"/{each.__name__}", each) for each in endpoints]
    server = create_server(
        Starlette(routes=[*HTTP, *routes], lifespan=lifespan),
        settings,
        Listening(HOST, 0, message_bytes=settings.max_message_bytes),
        ping_seconds=PING_SECONDS,
        pong_seconds=PING_SECONDS,
    )
    serving = asyncio.create_task(server.serve())

    async def has_started() -> bool:
        return server.started

    await eventually(has_started, "the server listens")
    yield server
    server.should_exit = True
    await serving


def port_of(server: Server) -> int:
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port


@asynccontextmanager
async def vanished(
    server: Server, path: str
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client that does nothing after its handshake, as one that is frozen."""
    reader, writer = await asyncio.open_connection(HOST, port_of(server), limit=1024)
    writer.write(HANDSHAKE.format(path=path).encode())
    try:
        assert b"101" in await reader.readline()
        yield reader, writer
    finally:
        writer.transport.abort()


async def until_forgotten(server: Server) -> None:
    async def is_forgotten() -> bool:
        return not server.server_state.connections and not server.server_state.tasks

    await eventually(is_forgotten, "nothing is left of the client", 5)


async def test_frames_that_are_sent_together_come_each_and_in_order(server: Server) -> None:
    async with connect(f"ws://{HOST}:{port_of(server)}/say_three_together") as connection:
        await connection.send("go on")
        assert [await connection.recv() for _ in range(3)] == ["one", "two", "three"]


async def test_frames_that_are_sent_together_to_who_has_gone_go_nowhere(server: Server) -> None:
    async with connect(f"ws://{HOST}:{port_of(server)}/say_three_too_late"):
        pass
    await until_forgotten(server)
    assert codes == [LOST]


async def test_a_client_that_answers_pings_stays(server: Server) -> None:
    async with connect(f"ws://{HOST}:{port_of(server)}/listen") as connection:
        for _ in range(5):
            await (await connection.ping())
            await asyncio.sleep(PING_SECONDS)
        assert len(server.server_state.connections) == 1


async def test_a_client_that_answers_no_ping_is_closed_with_1011(server: Server) -> None:
    async with vanished(server, "listen") as (reader, _), asyncio.timeout(5):
        assert CLOSE_1011 in await reader.read()
    await until_forgotten(server)


async def test_a_client_that_answers_no_ping_is_lost(server: Server) -> None:
    async with vanished(server, "note"):
        await until_forgotten(server)
    assert codes == [LOST]


@pytest.mark.parametrize("is_reset", [True, False], ids=["reset", "end of the stream"])
async def test_a_client_whose_connection_breaks_is_lost(server: Server, is_reset: bool) -> None:
    async with vanished(server, "note") as (_, writer):
        if is_reset:
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
        writer.transport.abort()
        await until_forgotten(server)
    assert codes == [LOST]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x88\x80\0\0\0\0", 1005),
        (b"\x88\x82\0\0\0\0\x03\xe8", 1000),
        (b"\x88\x82\0\0\0\0\x0f\xa0", 4000),
        (b"\x88\x82\0\0\0\0\x03\xee", 1002),  # 1006, which nobody may send
    ],
    ids=["without a code", "1000", "its own", "forged"],
)
async def test_a_client_that_says_goodbye_is_not(server: Server, frame: bytes, code: int) -> None:
    async with vanished(server, "note") as (_, writer):
        writer.write(frame)
        await until_forgotten(server)
    assert codes == [code]


@pytest.mark.parametrize(
    ("farewell", "code"), [(b"\x88\x82\0\0\0\0\x03\xe8", 1000), (b"", LOST)], ids=["close", "cut"]
)
@pytest.mark.parametrize("portion", [1, 7])
async def test_of_a_crowd_that_speaks_and_leaves_at_once_nothing_is_lost_or_mixed_up(
    server: Server, monkeypatch: pytest.MonkeyPatch, farewell: bytes, code: int, portion: int
) -> None:
    monkeypatch.setattr("shared.process.portions.PORTION", portion)
    crowd = [[f"{person:03} {number}" for number in range(3)] for person in range(40)]
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(vanished(server, "collect")) for _ in crowd]
        for (_, writer), texts in zip(clients, crowd, strict=True):
            for text in texts:
                writer.write(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text.encode())
            writer.write(farewell)
            writer.close()
        await until_forgotten(server)
    assert sorted(said) == crowd
    assert codes == [code] * len(crowd)


async def test_what_a_client_says_does_not_wait_for_those_who_have_left(server: Server) -> None:
    shared = cast("Portioned", server.server_state)
    async with vanished(server, "collect") as (_, writer):

        def linger() -> None:
            if not said:  # another one leaves: however long the machine takes, there are thousands
                shared.farewells.add(linger)

        for _ in range(1000 * PORTION):
            shared.farewells.add(linger)
        writer.write(bytes([0x81, 0x81]) + bytes(4) + b"x")
        writer.write(b"\x88\x82\0\0\0\0\x03\xe8")

        async with asyncio.timeout(5):
            while not said:  # noqa: ASYNC110 (it is about turns of the loop)
                await asyncio.sleep(0)
        await until_forgotten(server)


@pytest.mark.parametrize("path", ["overwhelm", "overwhelm_and_leave"])
async def test_a_client_that_takes_nothing_any_more_is_dropped_with_all_that_waits_for_it(
    server: Server, path: str
) -> None:
    async with vanished(server, path):
        await until_forgotten(server)


async def test_a_server_that_goes_down_waits_for_no_client_that_is_gone(server: Server) -> None:
    async with vanished(server, "listen"), asyncio.timeout(5):
        server.should_exit = True
        await until_forgotten(server)


POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


async def answer(server: Server, begin: bytes, again: bytes, times: int, end: bytes = b"") -> bytes:
    """What a client reads who sends something, the same again and again, and an end."""
    reader, writer = await asyncio.open_connection(HOST, port_of(server))
    writer.write(begin)
    try:
        async with asyncio.timeout(10):
            for _ in range(times):
                writer.write(again)
                await writer.drain()
            writer.write(end)
            return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.transport.abort()


ENDLESS = {
    "line": (b"POST /", b"x" * 1000),
    "header": (POST + b"X: ", b"x" * 1000),
    "headers": (POST, b"X: " + b"x" * 1000 + b"\r\n"),
    "chunk extension": (CHUNKED + b"5;", b"x" * 1000),
    "trailers": (CHUNKED + b"0\r\n", b"X: " + b"x" * 1000 + b"\r\n"),
}


@pytest.mark.parametrize("endless", ENDLESS.values(), ids=ENDLESS)
async def test_a_head_or_trailer_that_does_not_end_is_refused(
    server: Server, endless: tuple[bytes, bytes]
) -> None:
    with pytest.raises(OSError, match="onnection"):  # hung up on, with most of it not sent
        await answer(server, *endless, times=100_000)
    await until_forgotten(server)


async def test_a_head_that_is_too_long_is_told_so(server: Server) -> None:
    told = await answer(server, POST + b"X: ", b"x" * 1000, 1 + HEAD_LIMIT // 1000)
    assert told.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("piece", [1, 1000], ids=["small pieces", "large pieces"])
async def test_a_body_in_chunks_may_be_longer_than_a_head(server: Server, piece: int) -> None:
    chunk = b"%x\r\n%b\r\n" % (piece, b"x" * piece)
    again, times = chunk * (10_000 // piece), 8 * HEAD_LIMIT // 10_000
    told = await answer(server, CHUNKED, again, times, b"0\r\n\r\n")
    assert told.startswith(b"HTTP/1.1 200 ")


async def test_one_request_after_another_may_be_longer_than_a_head(server: Server) -> None:
    request = POST + b"Content-Length: 0\r\nX: " + b"x" * 1000 + b"\r\n\r\n"
    told = await answer(server, b"", request, 2 * HEAD_LIMIT // 1000)
    assert told.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "begin",
    [b"", b"POST / HT", POST, POST + b"Content-Length: 0\r\n\r\n" + POST],
    ids=["nothing", "half a line", "no end", "the second one"],
)
async def test_who_sends_no_whole_head_is_closed_soon(
    server: Server, begin: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.process.server.HEAD_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection(HOST, port_of(server))
    writer.write(begin)
    async with asyncio.timeout(3):  # before the server's own end of idle connections
        read = await reader.read()
    assert read.count(b"HTTP/1.1 200") == begin.count(b"\r\n\r\n")
    writer.close()


async def test_a_body_may_come_slowly(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.process.server.HEAD_SECONDS", 0.1)
    reader, writer = await asyncio.open_connection(HOST, port_of(server))
    writer.write(POST + b"Content-Length: 8\r\n\r\n")
    for _ in range(8):
        await asyncio.sleep(0.05)
        writer.write(b"x")
    async with asyncio.timeout(3):
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
    writer.close()


@pytest.mark.parametrize("is_frozen", [True, False])
async def test_who_takes_nothing_of_an_answer_is_dropped_and_who_takes_some_is_not(
    server: Server, monkeypatch: pytest.MonkeyPatch, *, is_frozen: bool
) -> None:
    monkeypatch.setattr("shared.process.server.STALL_SECONDS", 0.5)
    reader, writer = await asyncio.open_connection(HOST, port_of(server), limit=1024)
    writer.write(b"GET /much HTTP/1.0\r\nHost: x\r\n\r\n")
    if is_frozen:
        await until_forgotten(server)
    size = 0
    with suppress(ConnectionResetError):
        while piece := await reader.read(256 * 1024):
            size += len(piece)
            await asyncio.sleep(0.01)
    assert (size < LARGE) == is_frozen
    writer.transport.abort()
