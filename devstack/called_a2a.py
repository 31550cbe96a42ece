"""Calls A2A agents of any version from 0.2 on, by the official SDK."""

from functools import partial
from typing import Any

import httpx
from a2a.client import Client, ClientConfig, ClientFactory
from a2a.helpers import get_message_text, get_stream_response_text, new_text_message
from a2a.types import (
    AgentCard,
    AgentInterface,
    Role,
    SendMessageRequest,
    StreamResponse,
    TaskState,
)
from a2a.utils.constants import TransportProtocol
from a2a.utils.errors import A2AError

from devstack.choosing import Candidate

CALL_SECONDS = 300.0
UNSTATED = {"protocolBinding": "JSONRPC", "protocolVersion": "0.3"}
FAILED = {TaskState.TASK_STATE_FAILED, TaskState.TASK_STATE_REJECTED, TaskState.TASK_STATE_CANCELED}


async def call_a2a(agent: Candidate, arguments: dict[str, Any]) -> tuple[bool, str]:
    """Whether the agent did its task, and what it says of it, or why it did not."""
    texts = dict.fromkeys(str(arguments[name]) for name in ("task", "text") if arguments.get(name))
    message = new_text_message("\n\n".join(texts), role=Role.ROLE_USER)
    try:
        async with httpx.AsyncClient(
            event_hooks={"request": [partial(_show, agent)]}, timeout=CALL_SECONDS
        ) as http:
            client = _make_client(agent, http)
            answers = client.send_message(SendMessageRequest(message=message))
            [answer] = [one async for one in answers]
    except (A2AError, httpx.HTTPError, ValueError) as fault:
        return False, f"the A2A agent does not answer: {fault}"
    return answer.task.status.state not in FAILED, _text_of(answer)


async def _show(agent: Candidate, request: httpx.Request) -> None:
    """Show its server who calls: a card may lead elsewhere, to whom that is not to be shown."""
    if _origin(request.url) == _origin(httpx.URL(agent.url)):
        request.headers.update(agent.headers)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _make_client(agent: Candidate, http: httpx.AsyncClient) -> Client:
    stated = agent.interfaces or (UNSTATED | {"url": agent.url},)
    card = AgentCard(name=agent.name, supported_interfaces=map(_interface, stated))
    bindings = [TransportProtocol.JSONRPC, TransportProtocol.HTTP_JSON]
    config = ClientConfig(
        streaming=False, httpx_client=http, supported_protocol_bindings=[*bindings]
    )
    return ClientFactory(config).create(card)


def _interface(one: dict[str, str]) -> AgentInterface:
    version = one["protocolVersion"]
    return AgentInterface(
        url=one["url"],
        protocol_binding=one["protocolBinding"],
        # The SDK takes no 0.2, which is spoken as 0.3 is.
        protocol_version="0.3" if version.startswith("0.") else version,
        tenant=one.get("tenant"),
    )


def _text_of(answer: StreamResponse) -> str:
    return get_stream_response_text(answer) or get_message_text(answer.task.status.message)
