"""A master agent that answers at once: `python -m tests.benchmarks.stub_agent`.

It echoes the message. One that begins with a number is logged so many times before, one that asks
for parts is answered with those, and one is never answered. Where it is told of an agent that is
such a stub too, it has that one do so. With AGENT_TOKENS in the environment it is an agent for each
of them.
"""

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import cycle
from typing import Any

import orjson
import uvloop
from attrs import define, field

from tests.benchmarks.parts import parts_of
from tests.benchmarks.wire import BrokenConnectionError, Socket, open_socket

type Frame = dict[str, Any]

CONNECTED = "the stub is connected"
NEVER = "never"
NAME = "echo"
REGISTER = {
    "message_type": "agent_register",
    "request_payload": {
        "agent_name": NAME,
        "agent_description": "Logs and echoes.",
        "agent_input_schema": {
            "type": "function",
            "function": {
                "name": NAME,
                "parameters": {
                    "type": "object",
                    "properties": {"message": {"type": "string"}},
                    "required": ["message"],
                },
            },
        },
    },
}


async def serve(url: str, headers: Mapping[str, str], lanes: "AgentLanes | None" = None) -> None:
    """Answer until the other end goes."""
    socket = await open_socket(url, headers)
    print(CONNECTED, flush=True)
    if "API-KEY" not in headers:
        _send(socket, REGISTER)
    with suppress(BrokenConnectionError):
        async with asyncio.TaskGroup() as group:
            while True:
                frame = orjson.loads(await socket.receive())
                if lanes and (agent_id := _agent_of(frame)):
                    group.create_task(_have_answered(socket, frame, lanes, agent_id))
                elif parts := parts_of(_message(frame)):
                    group.create_task(_answer_in_parts(socket, frame, parts))
                elif "message" in frame.get("request_payload", {}):
                    _answer(socket, frame)


def _agent_of(frame: Frame) -> str | None:
    agents = frame["request_payload"].get("agents", [])
    ids = [each["agent_id"] for each in agents if each["agent_name"].startswith(f"{NAME}_")]
    return ids[0] if ids else None


@define
class AgentLanes:
    """Connections for calls of agents, one for each of them, spread over these places."""

    key: str
    urls: Iterator[str]
    _lanes: dict[str, Socket] = field(factory=dict)

    async def call(self, agent_id: str, payload: Frame, metadata: Frame) -> object:
        """What an agent answers; it is called once at a time."""
        if (lane := self._lanes.get(agent_id)) is None:
            headers = {"x-custom-invoke-key": f"{self.key}:{agent_id}"}
            lane = self._lanes[agent_id] = await open_socket(next(self.urls), headers)
        about = {"agent_uuid": agent_id, "request_payload": payload, "request_metadata": metadata}
        _send(lane, {"message_type": "agent_invoke", **about})
        return orjson.loads(await lane.receive()).get("response")


async def _have_answered(socket: Socket, frame: Frame, lanes: AgentLanes, agent_id: str) -> None:
    message = {"message": frame["request_payload"]["message"]}
    answer = await lanes.call(agent_id, message, frame["request_metadata"])
    _reply(socket, frame, answer)


def _answer(socket: Socket, frame: Frame) -> None:
    message = _message(frame)
    if message == NEVER:
        return
    number = message.split(" ", 1)[0]
    for place in range(int(number) if number.isdigit() else 0):
        _log(socket, frame, f"{place} of {message}", "info")
    answer = {"agents_trace": [], "response": message, "is_success": True}
    _reply(socket, frame, answer)


async def _answer_in_parts(socket: Socket, frame: Frame, parts: list[str]) -> None:
    """Beside the others that are being made: each goes on when all have said something."""
    for part in parts:
        _log(socket, frame, part, "delta")
        await asyncio.sleep(0)
    answer = {"agents_trace": [], "response": "".join(parts), "is_success": True}
    _reply(socket, frame, answer)


def _log(socket: Socket, frame: Frame, text: str, level: str) -> None:
    entry = {"log_message": text, "log_level": level}
    _send(socket, {"message_type": "agent_log", **entry, **frame["request_metadata"]})


def _message(frame: Frame) -> str:
    return str(frame.get("request_payload", {}).get("message", ""))


def _reply(socket: Socket, frame: Frame, response: object) -> None:
    reply = {"message_type": "agent_response", "response": response, "execution_time": 0.001}
    _send(socket, {**reply, "invoked_by": frame["invoked_by"]})


def _send(socket: Socket, frame: Frame) -> None:
    socket.send(orjson.dumps(frame))


async def _main(environment: Mapping[str, str]) -> None:
    """Be the agents with these tokens, or the master agent; spread over AGENTS_URLS."""
    urls = cycle(environment["AGENTS_URLS"].split())
    if tokens := environment.get("AGENT_TOKENS", "").split():
        async with asyncio.TaskGroup() as group:
            for token in tokens:
                group.create_task(serve(next(urls), {"X-Custom-Authorization": token}))
        return
    key = environment["MASTER_AGENT_API_KEY"]
    await serve(next(urls), {"API-KEY": key}, AgentLanes(key, urls))


if __name__ == "__main__":
    uvloop.run(_main(os.environ))
