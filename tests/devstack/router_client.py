"""Plain connections to a router, as the tests of the local stack open them."""

import json
from asyncio import timeout
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server

ANSWER_SECONDS = 5.0


def url_of(server: Server) -> str:
    """The address of a running router."""
    port: int = next(iter(server.sockets)).getsockname()[1]
    return f"ws://127.0.0.1:{port}/ws"


def token_of(agent: str) -> str:
    """A token that names the agent, signed by nobody that counts."""
    return jwt.encode({"sub": agent}, "anything" * 4, algorithm="HS256")


@asynccontextmanager
async def connected(url: str, **headers: str) -> AsyncIterator[ClientConnection]:
    """A connection with these headers, underscores standing for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with connect(url, additional_headers=named, max_size=None) as connection:
        yield connection


async def send(connection: ClientConnection, **frame: Any) -> None:
    """Send a frame."""
    await connection.send(json.dumps(frame))


async def receive(connection: ClientConnection) -> Any:
    """The next frame; raises TimeoutError when there is none."""
    async with timeout(ANSWER_SECONDS):
        return json.loads(await connection.recv())
