"""Agents, and others at the router, that say what a test wants."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from attrs import frozen
from websockets.asyncio.client import ClientConnection, connect

from tests.master import Invocation, Master
from tests.system import System
from tests.users import Chat, User, eventually

ANSWER_SECONDS = 8.0
SCHEMA = {
    "type": "function",
    "function": {"name": "x", "description": "y", "parameters": {"type": "object"}},
}


@frozen
class RouterClient:
    """Any connection to the router."""

    connection: ClientConnection

    async def send(self, frame: object) -> None:
        """Send anything as JSON."""
        await self.connection.send(json.dumps(frame))

    async def receive(self) -> Any:
        """The next frame."""
        async with asyncio.timeout(ANSWER_SECONDS):
            return json.loads(await self.connection.recv())

    async def invoke_bridge(self, payload: object) -> None:
        """Send the bridge's session whatever payload; the router passes it on."""
        invocation = {"message_type": "agent_invoke", "agent_uuid": "master_server_be"}
        await self.send({**invocation, "request_payload": payload, "request_metadata": {}})

    async def register(
        self, name: str = "tester", description: str = "tests", schema: object = None
    ) -> None:
        """Say what an agent says first."""
        payload = {
            "agent_name": name,
            "agent_description": description,
            "agent_input_schema": SCHEMA if schema is None else schema,
        }
        await self.send({"message_type": "agent_register", "request_payload": payload})

    async def log(
        self, message: object, session_id: object, request_id: object, **more: Any
    ) -> None:
        """Log in the name of a request."""
        frame = {"message_type": "agent_log", "log_message": message, "log_level": "info"}
        await self.send({**frame, "session_id": session_id, "request_id": request_id, **more})


@asynccontextmanager
async def connected(system: System, **headers: str) -> AsyncIterator[RouterClient]:
    """A connection with these headers, underscores standing for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with connect(system.router_url, additional_headers=named, max_size=None) as connection:
        yield RouterClient(connection)


@asynccontextmanager
async def connected_agent(system: System, token: str) -> AsyncIterator[RouterClient]:
    """A connection as the agent of this token, not yet registered."""
    async with connected(system, X_Custom_Authorization=token) as agent:
        yield agent


async def is_active(user: User, agent_id: str) -> bool:
    """Whether the bridge takes an agent of the user for connected."""
    return bool((await user.read_agent(agent_id))["is_active"])


async def until_active(user: User, agent_id: str, seconds: float = 10.0) -> None:
    """Wait until the bridge takes the agent for connected."""

    async def holds() -> bool:
        return await is_active(user, agent_id)

    await eventually(holds, f"agent {agent_id} is active", seconds)


async def until_inactive(user: User, agent_id: str, seconds: float = 10.0) -> None:
    """Wait until the bridge takes the agent for gone."""

    async def holds() -> bool:
        return not await is_active(user, agent_id)

    await eventually(holds, f"agent {agent_id} is not active", seconds)


async def until_inbox_is_empty(system: System, user: User) -> None:
    """Wait until the bridge has handled all that the router told it before."""
    witness = await user.register_agent("witness", "comes last")
    async with connected_agent(system, witness["jwt"]) as agent:
        await agent.register()
        await until_active(user, witness["id"])


async def wait_for_ever(_invocation: Invocation) -> object:
    """Never answer."""
    return await asyncio.Event().wait()


@contextmanager
def abandoned(master: Master) -> Iterator[None]:
    """End what the master agent is still at when the block ends."""
    try:
        yield
    finally:
        for task in master._tasks:
            task.cancel()


@asynccontextmanager
async def unanswered(master: Master, chat: Chat) -> AsyncIterator[None]:
    """Send a message that the master agent is at for the whole block."""
    master.behave = wait_for_ever
    with abandoned(master):
        await chat.send("hello")
        await until_invoked(master)
        yield


async def until_invoked(master: Master, count: int = 1) -> None:
    """Wait until the master agent has been given so many requests in all."""

    async def holds() -> bool:
        return len(master.invocations) >= count

    await eventually(holds, f"{count} invocations")


def messages_of(master: Master) -> list[str]:
    """What the master agent was asked, in order."""
    return [invocation.payload["message"] for invocation in master.invocations]
