"""Asking tools of MCP servers and A2A agents themselves, as a master agent does for the user."""

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from gateway.a2a.calling import Asked, send_text
from gateway.invocations import tool_queries as queries
from gateway.invocations.errors import SilentError, UnknownError
from gateway.invocations.questions import check_size
from gateway.invocations.told import Hiding, a2a_answer, tool_answer
from gateway.invocations.tool_schemas import (
    A2AAnswer,
    A2AQuestion,
    AskedA2AAgentId,
    CalledToolId,
    ToolAnswer,
    ToolArguments,
)
from gateway.mcp.called import Tool
from gateway.remote.errors import UnreachableError
from gateway.remote.urls import show
from gateway.streams.plain import Awaited
from gateway.streams.sse import open_stream
from gateway.web.answer import Answer
from gateway.web.call import Call
from gateway.web.credentials import readable
from gateway.web.operation import Operation
from shared.codec.converter import dump
from shared.codec.text import write_json
from shared.postgres.pool import connect
from shared.process.later import Later

if TYPE_CHECKING:
    from gateway.mcp import calling
else:  # which imports the SDK
    calling = Later("gateway.mcp.calling")

logger = logging.getLogger(__name__)


async def create_tool_call(call: Call[ToolArguments, CalledToolId]) -> Awaited:
    """Call a tool of one of the user's MCP servers, or of those that others share with him.

    The server is sent what its owner has it sent. Whoever hangs up waits no longer.
    """
    arguments, asked = call.body.arguments, call.parameters
    check_size(call, write_json(arguments))
    vault = call.state["vault"]
    with readable():
        async with call.turn("create_tool_call"), connect(call.database) as connection:
            tool = await queries.select_tool(
                connection, vault, call.user_id, asked.server_id, asked.tool_id
            )
    if tool is None:
        raise UnknownError(f"There is no tool with the id '{asked.tool_id}' at that server")

    async def make(hiding: Hiding) -> ToolAnswer:
        result = await calling.call_tool(call.state["outbound"], tool, arguments, asked.wait)
        return tool_answer(result, hiding)

    return _answer_soon(call, "MCP server", tool, make)


async def create_a2a_message(call: Call[A2AQuestion, AskedA2AAgentId]) -> Awaited:
    """Ask one of the user's A2A agents, or of those that others share with him.

    It is sent what its owner has it sent. Whoever hangs up waits no longer.
    """
    text, asked = call.body.text, call.parameters
    check_size(call, text.encode())
    vault = call.state["vault"]
    with readable():
        async with call.turn("create_a2a_message"), connect(call.database) as connection:
            agent = await queries.select_a2a_agent(connection, vault, call.user_id, asked.agent_id)
    if agent is None:
        raise UnknownError(f"There is no A2A agent with the id '{asked.agent_id}'")

    async def make(hiding: Hiding) -> A2AAnswer:
        answered = await send_text(call.state["outbound"], agent, text, asked.wait)
        return a2a_answer(answered, hiding)

    return _answer_soon(call, "A2A agent", agent, make)


def _answer_soon(
    call: Call[Any, Any],
    kind: str,
    whom: Tool | Asked,
    make: Callable[[Hiding], Awaitable[object]],
) -> Awaited:
    """Raises TooManyRequestsError, UnavailableError, and while it is waited for SilentError."""

    async def answer() -> Response:
        hiding = Hiding(whom.headers)
        try:
            async with call.state["turns"].asked.turn(call.user_id):
                return Answer([dump(await make(hiding))], 200)
        except UnreachableError as error:
            logger.info("%s %s: %s", kind, show(whom.url), error)
            detail = f"Could not access {kind} on: {whom.url}. {error.sentence}"
            raise SilentError(hiding(detail)) from None

    return open_stream(call, Awaited(answer))


def _operation(path: str, handler: Any, body: type, parameters: type, result: type) -> Operation:
    return Operation(
        method="POST",
        path=path,
        handler=handler,
        body=body,
        parameters=parameters,
        result=result,
        bounded=True,
        lends=False,
        further_errors=[UnknownError, SilentError],
    )


operations = [
    _operation(
        "/api/mcp/servers/{server_id}/tools/{tool_id}/call",
        create_tool_call,
        ToolArguments,
        CalledToolId,
        ToolAnswer,
    ),
    _operation(
        "/api/a2a/agents/{agent_id}/send",
        create_a2a_message,
        A2AQuestion,
        AskedA2AAgentId,
        A2AAnswer,
    ),
]
