"""An agent that uses all that its library offers; for both generations of genai-protocol.

Connected to the router it waits for work; with `--here <request> <session> <colleague>` the second
generation works without it and prints its report.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable
from inspect import signature
from typing import Annotated, Any

import aiohttp
from genai_session.session import GenAISession
from genai_session.utils.context import GenAIContext

IS_FIRST = "ws_url" in signature(GenAISession).parameters
LEVELS = ("debug", "info", "warning", "error", "critical")
NOBODY = "00000000-0000-4000-8000-000000000000"

if IS_FIRST:
    session = GenAISession(
        ws_url=os.environ["ROUTER_WS_URL"],
        api_base_url=os.environ["GATEWAY_URL"],
        jwt_token=os.environ["AGENT_JWT_TOKEN"],
    )
else:
    session = GenAISession()


@session.bind(  # type: ignore[untyped-decorator]
    name="Clerk", description="Does what it is told and reports"
)
async def work(
    agent_context: GenAIContext,
    task: Annotated[str, "What to do"],
    colleague: Annotated[str, "Whom to ask"] = "",
) -> Any:
    """Do a task."""
    if task == "greet":
        return f"greetings from {agent_context.agent_uuid}".encode()
    if task == "fail":
        raise ValueError("the clerk has broken his pencil")
    ids = (agent_context.agent_uuid, agent_context.request_id, agent_context.session_id)
    for level in LEVELS:
        getattr(agent_context.logger, level)(f"a word of {level}")
    return {
        "ids": ids,
        "agents": await (session.get_my_agents() if IS_FIRST else session.get_agents()),
        "active": await attempt(
            session.get_my_active_agents() if IS_FIRST else session.get_active_agents()
        ),
        "meant": await ask_for_active_agents(),
        "file": await keep_file(agent_context),
        "no file": await attempt(agent_context.files.get_by_id(NOBODY)),
        "no metadata": await attempt(agent_context.files.get_metadata_by_id(NOBODY)),
        "greeting": await send(colleague, task="greet"),
        "failure": await send(colleague, task="fail") if task == "everything" else None,
        "absence": await send(NOBODY, task="greet"),
    }


async def attempt(call: Awaitable[Any]) -> Any:
    """What a call gives, or what it raises."""
    try:
        return await call
    except Exception as error:  # noqa: BLE001 (it is reported)
        return f"{type(error).__name__}: {error}"


async def ask_for_active_agents() -> Any:
    """What the second generation means to ask for; its own request is refused by aiohttp."""
    headers = {"Authorization": f"Bearer {session.jwt_token}"}
    url = f"{session.api_base_url}/api/agents/frontend"
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.get(url, params={"is_active": "True"}) as answer,
    ):
        return await answer.json()


async def keep_file(context: GenAIContext) -> dict[str, Any]:
    """Save a file and read it back."""
    id_ = await context.files.save("žluť".encode(), "note to you.txt")
    content = (await context.files.get_by_id(id_)).read().decode()
    metadata = await context.files.get_metadata_by_id(id_)
    return {"id": id_, "content": content, "metadata": metadata}


async def send(to: str, **message: str) -> dict[str, Any]:
    """What another agent answers."""
    names = {"client_id": to} if IS_FIRST else {"agent_uuid": to}
    answer = await session.send(message, close_timeout=10, **names)
    return {"is_success": answer.is_success, "response": answer.response}


def work_here(request_id: str, session_id: str, colleague: str) -> None:
    """Work without a connection."""
    payload = {"task": "everything", "colleague": colleague}
    told = session.sync_invoke(request_id, session_id, payload)
    print(json.dumps({**told, "agent": session.get_agent_metadata()}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--here"]:
        work_here(*sys.argv[2:])
    else:
        asyncio.run(session.process_events())
