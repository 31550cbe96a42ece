"""An agent that says how often it was called; either generation of genai-protocol runs it.

It connects anew as soon as it is cut off, as under a quick supervisor.
"""

import asyncio
import os
from inspect import signature
from typing import Any

from genai_session.session import GenAISession
from genai_session.utils.context import GenAIContext

ADDRESSES = {
    "ws_url": os.environ["ROUTER_WS_URL"],
    "api_base_url": os.environ["GATEWAY_URL"],
    "jwt_token": os.environ["AGENT_JWT_TOKEN"],
}
PAUSE_SECONDS = 0.02

# The second generation takes them from the environment by itself.
takes_addresses = "ws_url" in signature(GenAISession.__init__).parameters
session = GenAISession(**ADDRESSES) if takes_addresses else GenAISession()
calls: list[str] = []


@session.bind(name="steady", description="Counts its calls")  # type: ignore[untyped-decorator]
async def count_calls(agent_context: GenAIContext, text: str = "") -> int:
    """Count a call."""
    calls.append(text)
    return len(calls)


async def _serve() -> None:
    """Serve until the connection is lost: of the first generation only the reading task ends."""
    serving = asyncio.create_task(session.process_events())

    def end(reading: asyncio.Task[Any]) -> None:
        serving.cancel()
        if not reading.cancelled():
            reading.exception()  # why it ended is of no concern

    def make_task(loop: Any, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **options)
        if coroutine.__name__ == "receive_messages":
            task.add_done_callback(end)
        return task

    asyncio.get_running_loop().set_task_factory(make_task)
    await asyncio.gather(serving, return_exceptions=True)


async def _serve_for_ever() -> None:
    while True:
        await _serve()
        await asyncio.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    asyncio.run(_serve_for_ever())
