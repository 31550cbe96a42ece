"""An agent that says how often it was called; either generation of genai-protocol runs it.

It connects anew as soon as it is cut off, as under a quick supervisor.
"""

import asyncio
import os
from inspect import signature

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
    while not serving.done():
        tasks = [each for each in asyncio.all_tasks() if "receive_messages" in repr(each)]
        await asyncio.wait([serving, *tasks], timeout=PAUSE_SECONDS, return_when="FIRST_COMPLETED")
        if any(task.done() for task in tasks):
            break
    serving.cancel()
    await asyncio.gather(serving, *tasks, return_exceptions=True)


async def _serve_for_ever() -> None:
    while True:
        await _serve()
        await asyncio.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    asyncio.run(_serve_for_ever())
