"""A master agent that does what a test wants; it speaks the router's protocol itself."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

from attrs import define, field, frozen
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError

from tests.system import BE_KEY, ML_KEY

PONG_SECONDS = 1.0


class AgentError(Exception):
    """Raised by a behaviour: answered as an `agent_error` with this text."""


@frozen
class Invocation:
    """What the master agent was given."""

    payload: dict[str, Any]
    request_id: str
    session_id: str
    master: "Master"

    async def log(self, message: str, level: str = "info") -> None:
        """Log in the name of this request."""
        await self.master.log(message, self.session_id, self.request_id, level)


type Behaviour = Callable[[Invocation], Awaitable[Any]]


def answer(text: str, *, is_success: bool = True) -> dict[str, Any]:
    """An answer in the usual form."""
    return {"agents_trace": [], "response": text, "is_success": is_success}


async def echo(invocation: Invocation) -> dict[str, Any]:
    """Answer with the message; knows the enriched form only, as a real one would."""
    unknown = invocation.payload.keys() - {"message", "agents", "configs", "files"}
    if unknown:
        raise AgentError(f"echo() got an unexpected keyword argument '{min(unknown)}'")
    return answer(f"echo: {invocation.payload['message']}")


@define
class Master:
    """A connected master agent; `behave` may be replaced at any time."""

    connection: ClientConnection
    behave: Behaviour = echo
    invocations: list[Invocation] = field(factory=list)
    _tasks: set[asyncio.Task[None]] = field(factory=set)

    async def log(
        self, message: str, session_id: str, request_id: str, level: str = "info"
    ) -> None:
        """Log something about any request."""
        frame = {
            "message_type": "agent_log",
            "log_message": message,
            "log_level": level,
            "agent_uuid": ML_KEY,
            "request_id": request_id,
            "session_id": session_id,
        }
        await self.connection.send(json.dumps(frame))

    async def serve(self) -> None:
        """Answer invocations, any number at a time, until the connection ends."""
        with suppress(ConnectionClosedError):  # a bridge that goes down, or was killed
            async for text in self.connection:
                frame = json.loads(text)
                if "error" in frame:  # it is to stop: the connection ends at once
                    continue
                if "ping" in frame.get("request_payload", {}):
                    await self._reply(frame, {"response": "pong"})
                    continue
                task = asyncio.create_task(self._answer(frame))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _answer(self, frame: dict[str, Any]) -> None:
        metadata = frame.get("request_metadata", {})
        invocation = Invocation(
            frame["request_payload"], metadata["request_id"], metadata["session_id"], self
        )
        self.invocations.append(invocation)
        with suppress(ConnectionClosed):  # nobody can be told any more
            try:
                reply = {"response": await self.behave(invocation)}
            except AgentError as error:
                reply = {"error": {"error_message": str(error)}}
            await self._reply(frame, reply)

    async def _reply(self, frame: dict[str, Any], reply: dict[str, Any]) -> None:
        kind = "agent_error" if "error" in reply else "agent_response"
        others = {"execution_time": 0.25, "invoked_by": frame["invoked_by"]}
        await self.connection.send(json.dumps({"message_type": kind, **reply, **others}))


@asynccontextmanager
async def run_master(
    router_url: str, behave: Behaviour = echo, *, door_url: str = ""
) -> AsyncIterator[Master]:
    """Connect a master agent that the router can reach, perhaps through a door."""
    master, serving = await _connect(door_url or router_url, router_url, behave)
    try:
        yield master
    finally:
        await master.connection.close()
        await serving


async def _connect(
    url: str, router_url: str, behave: Behaviour
) -> tuple[Master, asyncio.Task[None]]:
    """Connect until reachable: an older connection that ends late takes the identity with it.

    Raises OSError where a door does not let it stay.
    """
    while True:
        headers = {"API-KEY": ML_KEY}
        connection = await connect(url, additional_headers=headers, compression=None)
        master = Master(connection, behave)
        serving = asyncio.create_task(master.serve())
        is_reachable = False
        try:
            is_reachable = await _is_reachable(router_url)
            while url != router_url and not is_reachable and not serving.done():
                # The door is still at it.
                is_reachable = await _is_reachable(router_url)
        finally:
            if not is_reachable:
                await connection.close()
                await asyncio.gather(serving, return_exceptions=True)
        if is_reachable:
            return master, serving
        if url != router_url:
            raise ConnectionRefusedError("the door was closed, or has sent it away")


async def _is_reachable(router_url: str) -> bool:
    key = {"x-custom-invoke-key": f"{BE_KEY}:{uuid4()}"}
    async with connect(router_url, additional_headers=key, compression=None) as lane:
        frame = {
            "message_type": "agent_invoke",
            "agent_uuid": "master_server_ml",
            "request_payload": {"ping": True},
            "request_metadata": {},
        }
        # Twice: the older connection's end may come between the two, and one call be lost with it.
        for _ in range(2):
            await lane.send(json.dumps(frame))
            try:
                async with asyncio.timeout(PONG_SECONDS):
                    pong = json.loads(await lane.recv())
            except TimeoutError:
                return False
            if pong.get("response") != "pong":
                return False
    return True
