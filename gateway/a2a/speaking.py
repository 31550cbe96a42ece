"""The package for A2A as a client. Loaded where somebody is asked, and not before."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import httpx
import httpx2
from a2a.client import Client, ClientConfig, ClientFactory
from a2a.client.errors import A2AClientError
from a2a.helpers import new_text_message
from a2a.types import (
    AgentCard,
    AgentInterface,
    GetTaskRequest,
    Part,
    Role,
    SendMessageRequest,
    StreamResponse,
    Task,
    TaskState,
)
from a2a.utils.constants import TransportProtocol
from a2a.utils.errors import A2AError
from msgspec import UNSET

from gateway.a2a.calling import Answered
from gateway.a2a.interfaces import Interface
from gateway.remote.causes import describe_answer
from gateway.remote.errors import UnreachableError
from gateway.remote.mending import mend_answer

LOOK_SECONDS = 1.0  # between two looks at a task that goes on
NO_A2A = "it does not answer as an A2A agent does"
NOT_SPOKEN = "it is called in no way that is spoken here, which are JSON-RPC and HTTP+JSON"
REFUSED = "it refuses what it is asked"

BINDINGS = [TransportProtocol.JSONRPC, TransportProtocol.HTTP_JSON]
GOING_ON = {TaskState.TASK_STATE_SUBMITTED, TaskState.TASK_STATE_WORKING}


class Passage(httpx.AsyncBaseTransport):
    """Sends by our client what the package sends by its own, and keeps the last answer."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http
        self.answer: httpx2.Response | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """What a request is answered, as a whole."""
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        self.answer = await self._http.request(
            request.method, str(request.url), headers=headers, content=await request.aread()
        )
        kind = {"Content-Type": self.answer.headers.get("Content-Type", "")}
        return httpx.Response(self.answer.status_code, headers=kind, content=self.answer.content)


async def ask(
    http: httpx2.AsyncClient, interfaces: Sequence[Interface], text: str, *, was_sent: bool
) -> Answered:
    """The answer to a text at the best of the interfaces. Raises UnreachableError."""
    http.event_hooks = {"response": [mend_answer]}
    passage = Passage(http)
    message = new_text_message(text, role=Role.ROLE_USER)
    with _explained(passage, was_sent=was_sent):
        async with httpx.AsyncClient(transport=passage, timeout=None, trust_env=False) as inner:  # noqa: S113 (the visit is bounded)
            client = _make_client(inner, interfaces)
            answers = client.send_message(SendMessageRequest(message=message))
            [answer] = [one async for one in answers]
            return await _read(client, answer)


def _make_client(http: httpx.AsyncClient, interfaces: Iterable[Interface]) -> Client:
    stated = [_interface(one) for one in interfaces if one.protocolBinding in BINDINGS]
    if not stated:
        raise UnreachableError(NOT_SPOKEN)
    config = ClientConfig(
        streaming=False, httpx_client=http, supported_protocol_bindings=[*BINDINGS]
    )
    return ClientFactory(config).create(AgentCard(supported_interfaces=stated))


def _interface(one: Interface) -> AgentInterface:
    version = one.protocolVersion
    return AgentInterface(
        url=one.url,
        protocol_binding=one.protocolBinding,
        # The package takes no 0.2, which is spoken as 0.3 is.
        protocol_version="0.3" if version.startswith("0.") else version,
        tenant=None if one.tenant is UNSET else one.tenant,
    )


async def _read(client: Client, answer: StreamResponse) -> Answered:
    if answer.HasField("message"):
        return _answered(answer.message.parts, None)
    task = answer.task
    while task.status.state in GOING_ON:
        await asyncio.sleep(LOOK_SECONDS)
        task = await client.get_task(GetTaskRequest(id=task.id))
    state = TaskState.Name(task.status.state)
    return _answered(_parts(task), state.removeprefix("TASK_STATE_").lower().replace("_", "-"))


def _parts(task: Task) -> list[Part]:
    """Of its artifacts, or else of what it says of its state."""
    made = [part for artifact in task.artifacts for part in artifact.parts]
    return made or [*task.status.message.parts]


def _answered(parts: Iterable[Part], state: str | None) -> Answered:
    all_parts = [*parts]
    texts = [part.text for part in all_parts if part.HasField("text")]
    return Answered(texts, len(all_parts) - len(texts), state)


@contextmanager
def _explained(passage: Passage, *, was_sent: bool) -> Iterator[None]:
    """Raises UnreachableError for what the package raises: anything."""
    try:
        yield
    except UnreachableError:
        raise
    except Exception as error:
        if passage.answer is not None and not passage.answer.is_success:
            raise describe_answer(passage.answer, was_sent=was_sent) from error
        if isinstance(error, A2AError) and not isinstance(error, A2AClientError):
            raise UnreachableError(REFUSED, str(error)) from error
        raise UnreachableError(NO_A2A) from error
