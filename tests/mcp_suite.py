"""The official conformance suite of MCP, and agents by the names of the tools that it calls.

What it wants to be given is given as agents give things: texts, files, log entries and errors.
"""

import asyncio
import json
import os
import re
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from struct import pack
from typing import Any
from uuid import uuid4

from attrs import define, field, frozen

from tests.agent_bridge.stored import execute
from tests.end_to_end.doors.visitors import (
    REGISTER,
    Visitor,
    answer_to,
    log_frame,
    until_active,
    visiting,
)
from tests.mcpserver import url_of
from tests.system import System
from tests.users import Json, User, connect_to

NODE = Path(sys.executable).with_name("node")
FOLDER = Path(__file__).parent / "node"
SUITE = FOLDER / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
SUITE_SECONDS = 120
FOLDER_NAME = re.compile(r"server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z")  # of a scenario's results

NOTHING: Json = {"type": "object", "properties": {}}
SCHEMA_2020: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
REGIONAL: Json = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "query": {"type": "string"},
    },
    "required": ["region", "query"],
}


def make_png() -> bytes:
    """A red dot."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + name + data + pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0"))
        + chunk(b"IEND", b"")
    )


def make_wav() -> bytes:
    """An instant of silence."""
    form = b"fmt " + pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    return b"RIFF" + pack("<I", 38) + b"WAVE" + form + b"data" + pack("<I", 2) + b"\x80\x80"


@frozen
class Work:
    """A call of an agent, and what it can do before it answers."""

    arguments: Json
    agent: "Agent"
    ids: Json

    async def log(self, text: str) -> None:
        """Log something."""
        await self.agent.visitor.say(log_frame(text, **self.ids, agent_uuid=self.agent.id))

    async def keep(self, name: str, data: bytes, mimetype: str) -> None:
        """Store a file that goes with the answer."""
        async with connect_to(
            self.agent.gateway, Authorization=f"Bearer {self.agent.token}"
        ) as http:
            files = {"file": (name, data, mimetype)}
            stored = await http.post("/files", files=files, data=self.ids)
        assert stored.status_code == 201, stored.text


type Do = Callable[[Work], Awaitable[Any]]


class FailedWorkError(Exception):
    """What an agent answers with an error."""


@define
class Agent:
    """A connected agent that does one thing."""

    id: str
    token: str
    gateway: str
    visitor: Visitor
    do: Do
    _tasks: set[asyncio.Task[None]] = field(factory=set)

    def react(self, frame: Json) -> None:
        """Work on a call."""
        if "request_payload" in frame:
            task = asyncio.create_task(self._work(frame))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _work(self, frame: Json) -> None:
        work = Work(frame["request_payload"], self, frame["request_metadata"])
        try:
            answer = answer_to(frame, await self.do(work))
        except FailedWorkError as error:
            told = {"error_message": str(error), "error_type": "AgentGeneralError"}
            answer = {
                "message_type": "agent_error",
                "error": told,
                "invoked_by": frame["invoked_by"],
            }
        await self.visitor.say(answer)


@asynccontextmanager
async def working(
    system: System, user: User, alias: str, do: Do, schema: Json = NOTHING
) -> AsyncIterator[Agent]:
    """An active agent of the user with this alias."""
    registered = await user.register_agent(alias)
    execute(system, "UPDATE agents SET alias = %s WHERE id = %s", alias, registered["id"])
    async with visiting(system.agents_url, X_Custom_Authorization=registered["jwt"]) as visitor:
        agent = Agent(registered["id"], registered["jwt"], system.gateway, visitor, do)
        visitor.react = agent.react
        payload = {
            "agent_name": alias,
            "agent_description": f"Does what {alias} is to do",
            "agent_input_schema": schema,
        }
        await visitor.say({**REGISTER, "request_payload": payload})
        await until_active(user, agent.id, is_active=True)
        yield agent


async def say_something(_work: Work) -> Any:
    return "This is a simple text response for testing."


async def paint(work: Work) -> Any:
    await work.keep("dot.png", make_png(), "image/png")
    return "A red dot"


async def record(work: Work) -> Any:
    await work.keep("silence.wav", make_wav(), "audio/wav")
    return "An instant of silence"


async def write(work: Work) -> Any:
    await work.keep("note.txt", b"This is an embedded resource content.", "text/plain")
    return "A note"


async def do_all(work: Work) -> Any:
    await work.keep("dot.png", make_png(), "image/png")
    await work.keep("data.json", b'{"test":"data","value":123}', "application/json")
    return "Multiple content types test:"


async def fail(_work: Work) -> Any:
    raise FailedWorkError("This tool intentionally returns an error for testing")


async def log_on_the_way(work: Work) -> Any:
    for share in (0, 50, 100):
        await work.log(f"{share} of 100")
    return "Done"


async def change(work: Work) -> Any:
    """Say something else of itself from now on."""
    described = {"agent_name": "test_trigger_tool_change", "agent_description": str(uuid4())}
    payload = {**described, "agent_input_schema": NOTHING}
    await work.agent.visitor.say({**REGISTER, "request_payload": payload})
    return "Changed"


TOOLS: Mapping[str, tuple[Do, Json]] = {
    "test_simple_text": (say_something, NOTHING),
    "test_image_content": (paint, NOTHING),
    "test_audio_content": (record, NOTHING),
    "test_embedded_resource": (write, NOTHING),
    "test_multiple_content_types": (do_all, NOTHING),
    "test_error_handling": (fail, NOTHING),
    "test_tool_with_progress": (log_on_the_way, NOTHING),
    "test_logging_tool": (log_on_the_way, NOTHING),
    "test_reconnection": (log_on_the_way, NOTHING),
    "test_trigger_tool_change": (change, NOTHING),
    "json_schema_2020_12_tool": (say_something, SCHEMA_2020),
    "test_regional": (say_something, REGIONAL),
}


@asynccontextmanager
async def everything(system: System, user: User) -> AsyncIterator[None]:
    """All agents that the suite wants to find."""
    async with AsyncExitStack() as stack:
        made = (
            stack.enter_async_context(working(system, user, alias, *what))
            for alias, what in TOOLS.items()
        )
        for agent in made:
            await agent
        yield


async def run_suite(user: User, results: Path, *arguments: str) -> tuple[int, str]:
    """The suite's exit code, and what it has printed; its results are JSON in the folder."""
    environment = {**os.environ, "MCP_TOKEN": user.token}
    child = await asyncio.create_subprocess_exec(
        NODE,
        *("--import", str(FOLDER / "bearer.mjs"), SUITE),
        *("server", "--url", url_of(user), "--output-dir", str(results), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
    )
    async with asyncio.timeout(SUITE_SECONDS):
        told, _ = await child.communicate()
    return child.returncode or 0, told.decode()


def read_results(results: Path) -> dict[str, list[Json]]:
    """The checks of each scenario."""
    checks = {}
    for path in results.rglob("checks.json"):
        named = FOLDER_NAME.fullmatch(path.parent.name)
        assert named, path
        checks[named[1]] = json.loads(path.read_text())
    return checks
