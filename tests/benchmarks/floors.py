"""Floors: what a chat takes at least, and a server with bare routes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
from attrs import frozen
from websockets.asyncio.client import ClientConnection, connect

from agent_bridge.router.frames import MASTER_SERVER_BE, MASTER_SERVER_ML, invoke_frame
from devstack.processes import HOST, free_port, wait_until_ready
from tests.benchmarks.floor_server import CALLS, FOLDER
from tests.benchmarks.installation import Installation
from tests.benchmarks.load import Work
from tests.system import BE_KEY, read_status

COMMITS = 3  # that a chat waits for: accepted, marked as sent, ended; a claim waits for no disk
CONNECTIONS = 20  # as many as a gateway and a bridge have
TABLE = "CREATE TABLE IF NOT EXISTS floor (id uuid PRIMARY KEY, text text NOT NULL)"
INSERT = "INSERT INTO floor VALUES ($1, $2)"

type Pool = "asyncpg.Pool[asyncpg.Record]"


@asynccontextmanager
async def chat_floors(installation: Installation, users: int) -> AsyncIterator[list[Work]]:
    """A worker for each user that does what one chat needs at least."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(commit_pool(installation))
        lanes = [await stack.enter_async_context(_lane(installation)) for _ in range(users)]
        yield [_committing(partial(_invoke_master, lane), pool) for lane in lanes]


@asynccontextmanager
async def direct_floors(
    installation: Installation, agent_ids: Sequence[str]
) -> AsyncIterator[tuple[list[Work], list[Work]]]:
    """Workers who each invoke an agent straight through the router: alone, and with the commits."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(commit_pool(installation))
        lanes = [await stack.enter_async_context(_lane(installation, id_)) for id_ in agent_ids]
        alone: list[Work] = [
            partial(_invoke_agent, lane, id_) for lane, id_ in zip(lanes, agent_ids, strict=True)
        ]
        yield alone, [_committing(each, pool) for each in alone]


@asynccontextmanager
async def commit_pool(installation: Installation) -> AsyncIterator[Pool]:
    """Connections to a database with a table of small rows."""
    url = installation.system.settings.database_url
    async with asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        await pool.execute(TABLE)
        yield pool


def _lane(installation: Installation, agent_id: str = "") -> connect:
    key = f"{MASTER_SERVER_BE}:{agent_id}" if agent_id else f"{BE_KEY}:{MASTER_SERVER_ML}"
    headers = {"x-custom-invoke-key": f"{key}:{uuid4()}"}
    return connect(
        installation.system.router_url, additional_headers=headers, compression=None, proxy=None
    )


def _committing(invoke: Work, pool: Pool) -> Work:
    async def work() -> None:
        await invoke()
        for _ in range(COMMITS):
            await pool.execute(INSERT, uuid4(), "a small row")

    return work


async def _invoke_agent(lane: ClientConnection, agent_id: str) -> None:
    message = f"0 {uuid4()}"
    await _invoke(lane, agent_id, {"message": message})


async def _invoke_master(lane: ClientConnection) -> None:
    message = f"0 {uuid4()}"
    config = {"provider": "p", "model": "m", "api_key": "sk", "system_prompt": "Be brief."}
    payload = {"message": message, "agents": [], "configs": {"llm": config}, "files": []}
    await _invoke(lane, MASTER_SERVER_ML, payload)


async def _invoke(lane: ClientConnection, callee: str, payload: dict[str, Any]) -> None:
    await lane.send(invoke_frame(callee, payload, str(uuid4()), str(uuid4())).decode())
    answer = orjson.loads(await lane.recv())
    assert answer["response"]["response"] == payload["message"]


@frozen
class FloorServer:
    """A running server with the bare routes of floor_server.py."""

    url: str
    pid: int


def start_floor_server(
    installation: Installation, folder: Path, calls: Sequence[object] = ()
) -> FloorServer:
    """Start one beside the gateway; it ends with the installation."""
    (folder / CALLS).write_bytes(orjson.dumps(calls, default=str))
    port = str(free_port())
    variables = {"GATEWAY_PORT": port, FOLDER: str(folder)}
    module = "tests.benchmarks.floor_server"
    child = installation.system.start("floor server", module, variables)
    wait_until_ready(child, lambda: read_status(f"http://{HOST}:{port}/health") == 200)
    return FloorServer(f"http://{HOST}:{port}", child.pid)
