"""The same server without the gateway: `python -m tests.benchmarks.floor_server`.

Each route does what one of the gateway's can't do without, and nothing else.
The server, its settings and the number of connections are the gateway's own, neither logs its
calls, and the statements are all that the gateway sends, the one that finds the caller included.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypedDict, cast

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway import app as gateway
from shared.postgres.pool import _leave_as_it_is
from shared.process.drain import Drain
from shared.process.starting import start
from shared.settings.gateway import GatewaySettings

FOLDER = "FLOOR_FOLDER"
CALLS = "calls.json"  # in that folder: for each call its statements with values, and its answer

type Pool = "asyncpg.Pool[asyncpg.Record]"


class State(TypedDict):
    """What the routes reach."""

    drain: Drain
    pool: Pool
    calls: list[dict[str, Any]]
    folder: Path
    files: list[Path]


async def _read_health(_request: Request) -> Response:
    return Response()


async def _call(request: Request) -> Response:
    """Send PostgreSQL what the gateway sends, and answer what it answers."""
    state = cast("State", request.state)
    call = state["calls"][request.path_params["number"]]
    async with state["pool"].acquire() as connection:
        for sql, values in call["statements"]:
            await connection.fetch(sql, *values)
    return Response(call["body"], media_type="application/json")


async def _upload(request: Request) -> Response:
    state = cast("State", request.state)
    path = state["folder"] / f"{len(state['files'])}.bin"
    state["files"].append(path)  # one of its own, as the gateway's: pages that are new cost more
    with path.open("wb") as file:
        async for chunk in request.stream():
            file.write(chunk)
    return Response(b"{}", 201)


async def _download(request: Request) -> Response:
    return FileResponse(cast("State", request.state)["files"][-1])


async def _echo(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect:
        pass


async def _leave(_seconds: float) -> None:
    pass


@asynccontextmanager
async def _lifespan(_app: Starlette, settings: GatewaySettings) -> AsyncIterator[State]:
    folder = Path(os.environ[FOLDER])
    calls = orjson.loads((folder / CALLS).read_bytes()) if (folder / CALLS).exists() else []
    size = settings.database_pool_size
    pool = asyncpg.create_pool(
        settings.database_url, min_size=size, max_size=size, reset=_leave_as_it_is
    )
    async with pool:
        yield State(drain=Drain(_leave), pool=pool, calls=calls, folder=folder, files=[])


listening = gateway.listening


def create_app(settings: GatewaySettings) -> Starlette:
    """The bare routes."""
    return Starlette(
        routes=[
            Route("/health", _read_health),
            Route("/calls/{number:int}", _call),
            Route("/files", _upload, methods=["POST"]),
            Route("/files", _download),
            WebSocketRoute("/echo", _echo),
        ],
        lifespan=partial(_lifespan, settings=settings),
    )


if __name__ == "__main__":
    start("tests.benchmarks.floor_server", GatewaySettings)
