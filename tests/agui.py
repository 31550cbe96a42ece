"""Runs over AG-UI: as any HTTP client has them made, and as the protocol's own client does."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from tests.gateway.agui.front_end import check_run
from tests.users import FRAME_SECONDS, Json, User

PATH = "/ag-ui"
NODE = Path(sys.executable).with_name("node")
CLIENT = Path(__file__).parent / "node/agui.mjs"


def say(text: Any, role: str = "user", id_: str | None = None) -> Json:
    """A message of a thread."""
    return {"id": id_ or str(uuid4()), "role": role, "content": text}


def make_input(*messages: Json, thread: str | None = None, **others: Any) -> Json:
    """What is posted: in a new thread unless one is named."""
    names = {"threadId": thread or str(uuid4()), "runId": str(uuid4())}
    return {**names, "messages": [*messages], **others}


@asynccontextmanager
async def running(user: User, given: Json) -> AsyncIterator[AsyncIterator[Json]]:
    """The events of a run, as they come."""
    async with user.http.stream("POST", PATH, json=given) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield _read(response)


async def _read(response: httpx2.Response) -> AsyncIterator[Json]:
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "data":
            yield json.loads(value)


async def run(user: User, *messages: Json, thread: str | None = None, **others: Any) -> list[Json]:
    """All events of a run, which are a valid one."""
    given = make_input(*messages, thread=thread, **others)
    async with asyncio.timeout(FRAME_SECONDS), running(user, given) as stream:
        events = [event async for event in stream]
    check_run(events)
    assert events[0]["threadId"] == given["threadId"]
    assert events[0]["runId"] == given["runId"]
    return events


async def refused(user: User, given: Any) -> tuple[int, Any]:
    """The status and the detail of what is not run."""
    answered = await user.http.post(PATH, json=given)
    return answered.status_code, answered.json()["detail"]


async def run_client(user: User, *runs: Json, **scenario: Any) -> list[Json]:
    """What `HttpAgent` of `@ag-ui/client` makes of some runs in one thread."""
    url = str(user.http.base_url).rstrip("/") + PATH
    given = {"url": url, "token": user.token, "threadId": str(uuid4()), "runs": runs, **scenario}
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(NODE, CLIENT, stdin=pipe, stdout=pipe)
    async with asyncio.timeout(2 * FRAME_SECONDS):
        told, _ = await child.communicate(json.dumps(given).encode())
    assert child.returncode == 0
    return [json.loads(line) for line in told.splitlines()]
