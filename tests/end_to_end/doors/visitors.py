"""Whoever comes to a door, with what he shows and what he then hears."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

from attrs import define, field
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.system import ML_KEY
from tests.users import Json, User, eventually

HEAR_SECONDS = 0.5
REGISTER: Json = {
    "message_type": "agent_register",
    "request_payload": {
        "agent_name": "visitor",
        "agent_description": "comes and goes",
        "agent_input_schema": {},
    },
}


@define
class Visitor:
    """A connection, and all that came on it."""

    connection: ClientConnection
    heard: list[Json] = field(factory=list)
    react: Callable[[Json], Json | None] = lambda _: None
    """What to say at once to what comes."""

    async def say(self, frame: Json) -> None:
        """Send a frame, if the door still listens."""
        with suppress(ConnectionClosed):
            await self.connection.send(json.dumps(frame))

    async def say_as_it_is(self, frame: Json) -> None:
        """Send a frame whose letters are not escaped."""
        await self.connection.send(json.dumps(frame, ensure_ascii=False))

    async def hear(self) -> None:
        """Note what comes, until the connection ends."""
        with suppress(ConnectionClosed):
            async for text in self.connection:
                self.heard.append(frame := json.loads(text))
                if answer := self.react(frame):
                    await self.say(answer)

    @property
    def invocations(self) -> list[Json]:
        """The calls that came."""
        return [frame for frame in self.heard if "request_payload" in frame]

    async def next_invocation(self) -> Json:
        """The first call."""
        await eventually(lambda: _is(bool(self.invocations)), "it is called")
        return self.invocations[0]

    async def end(self) -> int | None:
        """The code with which it is sent away."""
        await self.connection.wait_closed()
        return self.connection.close_code


async def _is(value: bool) -> bool:
    return value


@asynccontextmanager
async def visiting(url: str, **headers: str) -> AsyncIterator[Visitor]:
    """Somebody who shows these headers, `_` for `-`, and hears what he is told."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with connect(url, additional_headers=named, compression=None, max_size=None) as opened:
        visitor = Visitor(opened)
        hearing = asyncio.create_task(visitor.hear())
        try:
            yield visitor
        finally:
            if opened.close_code is None:
                await opened.close()
            await hearing


@asynccontextmanager
async def agent_at(url: str, user: User) -> AsyncIterator[tuple[Visitor, Json]]:
    """A new agent of the user that is connected and active."""
    registered = await user.register_agent()
    async with visiting(url, X_Custom_Authorization=registered["jwt"]) as visitor:
        await visitor.say(REGISTER)
        await until_active(user, registered["id"], is_active=True)
        yield visitor, registered


async def until_active(user: User, agent_id: str, *, is_active: bool) -> None:
    """Wait until an agent is active, or is not."""

    async def holds() -> bool:
        return bool((await user.read_agent(agent_id))["is_active"]) == is_active

    await eventually(holds, f"{agent_id} is {'' if is_active else 'in'}active")


def call_frame(callee: str, request_id: str = "", session_id: str = "", **payload: Any) -> Json:
    """Call an agent."""
    return {
        "message_type": "agent_invoke",
        "agent_uuid": callee,
        "request_payload": payload,
        "request_metadata": {"request_id": request_id, "session_id": session_id},
    }


def log_frame(text: str, request_id: str, session_id: str, **claims: str) -> Json:
    """Log something."""
    ids = {"request_id": request_id, "session_id": session_id}
    return {"message_type": "agent_log", "log_message": text, "log_level": "info", **ids, **claims}


def answer_to(invocation: Json, response: Any) -> Json:
    """Answer a call."""
    answer = {"message_type": "agent_response", "response": response, "execution_time": 0.1}
    return {**answer, "invoked_by": invocation["invoked_by"]}


async def call(url: str, key: str, frame: Json) -> Json:
    """What the door answers to a call."""
    async with visiting(url, x_custom_invoke_key=key) as caller:
        await caller.say(frame)

        async def has_heard() -> bool:
            return bool(caller.heard) or caller.connection.close_code is not None

        await eventually(has_heard, "the call is answered")
        return caller.heard[0] if caller.heard else {"closed": caller.connection.close_code}


def master_key(callee: str) -> str:
    """What the master agent shows for a call."""
    return f"{ML_KEY}:{callee}"


def unknown_id() -> str:
    """An id that nobody has."""
    return str(uuid4())
