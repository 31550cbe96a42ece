"""A master agent that answers at once: `python -m tests.benchmarks.stub_agent`.

It echoes the message. One that begins with a number is logged so many times before, and one is
never answered.
"""

import os
from typing import Any

import orjson
import uvloop
from websockets.asyncio.client import ClientConnection, connect

CONNECTED = "the stub is connected"
NEVER = "never"


async def serve(url: str, key: str) -> None:
    """Answer until the router goes."""
    headers = {"API-KEY": key}
    async with connect(url, additional_headers=headers, compression=None) as connection:
        print(CONNECTED, flush=True)
        async for text in connection:
            await _answer(connection, orjson.loads(text))


async def _answer(connection: ClientConnection, frame: dict[str, Any]) -> None:
    message: str = frame["request_payload"]["message"]
    if message == NEVER:
        return
    number = message.split(" ", 1)[0]
    for place in range(int(number) if number.isdigit() else 0):
        entry = {"log_message": f"{place} of {message}", "log_level": "info"}
        await _send(connection, {"message_type": "agent_log", **entry, **frame["request_metadata"]})
    answer = {"agents_trace": [], "response": message, "is_success": True}
    reply = {"message_type": "agent_response", "response": answer, "execution_time": 0.001}
    await _send(connection, {**reply, "invoked_by": frame["invoked_by"]})


async def _send(connection: ClientConnection, frame: dict[str, Any]) -> None:
    await connection.send(orjson.dumps(frame).decode())


if __name__ == "__main__":
    environment = os.environ
    uvloop.run(serve(environment["ROUTER_WS_URL"], environment["MASTER_AGENT_API_KEY"]))
