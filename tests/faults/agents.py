"""Agents that log and are called while the doors that they came through are broken.

As under a supervisor, one connects again wherever there is a door. None is ever to be told to stop
for another reason than that its connection ends.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any
from uuid import uuid4

from attrs import define, field
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.master import Invocation
from tests.system import ML_KEY
from tests.users import Json

OPEN_SECONDS = 4.0
PING_SECONDS = 1.0, 4.0  # pause and patience: a bridge may be frozen
CALL_SECONDS = 8.0
RETRY_SECONDS = 0.05, 0.4
AGAIN = ": connect again"
LOGS_EACH = 3
LONGEST_STEP_SECONDS = 0.2
REGISTER: Json = {
    "message_type": "agent_register",
    "request_payload": {
        "agent_name": "echo",
        "agent_description": "Logs and echoes.",
        "agent_input_schema": {},
    },
}


@define
class Agents:
    """Those that a load has; each call has an id of its own."""

    doors: Callable[[], list[str]]
    called: Counter[str] = field(factory=Counter)
    """How often a call has come to an agent."""
    answered: dict[str, str] = field(factory=dict)
    """The request of each call whose answer has come back."""
    unanswered: int = 0
    lost: int = 0
    """Connections."""
    wrongs: list[str] = field(factory=list)
    random: Random = field(factory=lambda: Random(0))  # noqa: S311

    async def keep(self, token: str) -> None:
        """Have an agent with this token connected, for ever."""
        while True:
            with suppress(OSError, TimeoutError, WebSocketException):
                async with self._connect({"X-Custom-Authorization": token}) as connection:
                    await connection.send(json.dumps(REGISTER))
                    await self._serve(connection)
            self.lost += 1
            await asyncio.sleep(self.random.uniform(*RETRY_SECONDS))

    def begin_anew(self) -> None:
        """Forget what became of former calls."""
        self.called.clear()
        self.answered.clear()
        self.wrongs.clear()
        self.unanswered = self.lost = 0

    async def call(self, invocation: Invocation) -> None:
        """Call the agent that a master agent was told of; it may be gone meanwhile."""
        agents = invocation.payload["agents"]
        if not agents:
            return
        callee, id_ = agents[0]["agent_id"], str(uuid4())
        ids = {"request_id": invocation.request_id, "session_id": invocation.session_id}
        frame = {"message_type": "agent_invoke", "agent_uuid": callee, "request_metadata": ids}
        answer: Json = {}
        with suppress(OSError, TimeoutError, WebSocketException):
            async with (
                asyncio.timeout(CALL_SECONDS),
                self._connect({"x-custom-invoke-key": f"{ML_KEY}:{callee}"}) as connection,
            ):
                await connection.send(json.dumps({**frame, "request_payload": {"call": id_}}))
                answer = json.loads(await connection.recv())
        if answer.get("message_type") != "agent_response":
            self.unanswered += 1
        elif answer["response"] == id_:
            self.answered[id_] = invocation.request_id
        else:
            self.wrongs.append(f"call {id_} was answered by {answer}")

    async def _serve(self, connection: ClientConnection) -> None:
        async with asyncio.TaskGroup() as group:
            async for text in connection:
                frame = json.loads(text)
                if "call" in frame.get("request_payload", {}):
                    group.create_task(self._work(connection, frame))
                elif "error" in frame and not frame["error"]["error_message"].endswith(AGAIN):
                    self.wrongs.append(f"an agent was told: {frame}")

    async def _work(self, connection: ClientConnection, frame: Json) -> None:
        """Log, take a moment, and answer with the call's id."""
        id_ = frame["request_payload"]["call"]
        self.called[id_] += 1
        steps = Random(id_)  # noqa: S311
        with suppress(ConnectionClosed):
            for number in range(LOGS_EACH):
                about = {**frame["request_metadata"], "log_level": "info"}
                text = {"log_message": f"{id_} {number}"}
                await connection.send(json.dumps({"message_type": "agent_log", **about, **text}))
                await asyncio.sleep(steps.uniform(0, LONGEST_STEP_SECONDS))
            answer = {"message_type": "agent_response", "response": id_, "execution_time": 0.1}
            await connection.send(json.dumps({**answer, "invoked_by": frame["invoked_by"]}))

    def _connect(self, headers: dict[str, Any]) -> connect:
        if not (doors := self.doors()):
            raise ConnectionRefusedError("no bridge is there")
        return connect(
            self.random.choice(doors),
            additional_headers=headers,
            compression=None,
            open_timeout=OPEN_SECONDS,
            ping_interval=PING_SECONDS[0],
            ping_timeout=PING_SECONDS[1],
            close_timeout=1,
        )
