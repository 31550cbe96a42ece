"""MCP as its packages for JavaScript speak it: the first, and the second one in both eras."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from tests.asked import agent_that, create_flow, saying
from tests.master import Invocation, Master, answer
from tests.mcpserver import url_of
from tests.sql import Sql
from tests.system import System
from tests.users import FRAME_SECONDS, Json, User, eventually

NODE = Path(sys.executable).with_name("node")
CLIENT = Path(__file__).parent.parent / "node/mcp.mjs"


@frozen
class Package:
    """A generation of the SDK, and how it is to begin."""

    generation: int
    mode: str = "legacy"


PACKAGES = {
    "sdk": Package(1),
    "client, legacy": Package(2),
    "client": Package(2, "auto"),
}


@pytest.fixture(params=PACKAGES)
def package(request: pytest.FixtureRequest) -> Package:
    return PACKAGES[request.param]


async def run_client(user: User, package: Package, *steps: Json) -> list[Any]:
    """What came of each step."""
    given = {
        "url": url_of(user),
        "token": user.token,
        "generation": package.generation,
        "mode": package.mode,
        "steps": steps,
    }
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(NODE, CLIENT, stdin=pipe, stdout=pipe)
    async with asyncio.timeout(2 * FRAME_SECONDS):
        told, _ = await child.communicate(json.dumps(given).encode())
    assert child.returncode == 0
    return [json.loads(line) for line in told.splitlines()]


async def test_tools_are_listed_and_called_and_files_are_read(
    system: System, user: User, package: Package
) -> None:
    stored = await user.http.post("/files", files={"file": ("a.txt", b"hello")})
    uri = f"genai://files/{stored.json()['id']}"
    async with agent_that(system, user, saying(lambda text: f"sealed: {text}")) as (_, agent):
        alias = (await user.read_agent(agent["id"]))["agent_alias"]
        tools, result, unknown, files, contents = await run_client(
            user,
            package,
            {"do": "list"},
            {"do": "call", "name": alias, "given": {"text": "hello"}},
            {"do": "call", "name": "nobody", "given": {}},
            {"do": "resources"},
            {"do": "read", "uri": uri},
        )
    assert [tool["name"] for tool in tools] == ["ask", alias]
    assert result["content"] == [{"type": "text", "text": "sealed: hello"}]
    assert unknown["code"] == -32602
    assert [file["uri"] for file in files] == [uri]
    assert contents == [{"uri": uri, "mimeType": "text/plain", "text": "hello"}]


async def test_progress_is_told_and_a_call_that_is_aborted_is_cancelled(
    user: User, master: Master, sql: Sql, package: Package
) -> None:
    async def behave(invocation: Invocation) -> Json:
        await invocation.log("one")
        if invocation.payload["message"] == "wait":
            await asyncio.Event().wait()
        return answer("done")

    master.behave = behave
    aborted, whole = await run_client(
        user,
        package,
        {"do": "call", "name": "ask", "given": {"message": "wait"}, "abortAfter": 1},
        {"do": "call", "name": "ask", "given": {"message": "hello"}},
    )
    assert "abort" in aborted["failure"].lower()
    assert [each["message"] for each in whole["progress"]] == ["one"]
    assert whole["structuredContent"]["answer"] == "done"

    async def is_cancelled() -> bool:
        rows = sql("SELECT status FROM requests WHERE creator_id = %s ORDER BY position", user.id)
        return [row["status"] for row in rows] == ["cancelled", "answered"]

    await eventually(is_cancelled, "the request is cancelled", FRAME_SECONDS)


async def test_changes_of_tools_are_told(system: System, user: User, package: Package) -> None:
    async with agent_that(system, user) as (_, agent):

        async def change() -> None:
            while True:  # whenever it is that the client has begun to listen
                await create_flow(user, agent["id"], agent["id"])
                await asyncio.sleep(0.5)

        changing = asyncio.create_task(change())
        [tools] = await run_client(user, package, {"do": "changes"})
        changing.cancel()
    assert len(tools) > 2
