"""The server of both services: clients that vanish, and what is left of them."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect

from devstack.processes import HOST
from shared.drain import Drain
from shared.server import Server, create_server
from shared.settings import Settings
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


async def overwhelm_and_leave(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("x" * LARGE)


async def overwhelm(websocket: WebSocket) -> None:
    await overwhelm_and_leave(websocket)
    await websocket.receive()


async def leave(_seconds: float) -> None:
    """There is nothing to end."""


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Drain]]:
    yield {"drain": Drain(leave)}


@pytest.fixture
async def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setattr("shared.server.ABORT_SECONDS", 0.3)
    endpoints = (listen, overwhelm, overwhelm_and_leave)
    routes = [WebSocketRoute(f"/{each.__name__}", each) for each in endpoints]
    server = create_server(
        Starlette(routes=routes, lifespan=lifespan),
        settings,
        (HOST, 0),
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
