"""Calls a tool of an MCP server by the official SDK, without its judgement of what comes."""

from typing import Any

from attrs import define, field
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import HEADER_MISMATCH, CallToolRequest, CallToolRequestParams, CallToolResult
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from gateway.mcp.called import Result, Tool
from gateway.mcp.listing import Listed, take_answers
from gateway.mcp.lookup import FLOODED, NO_MCP, explained
from gateway.mcp.sessions import Sessions
from gateway.remote.credentials import Credentials
from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import Outbound
from gateway.remote.urls import read_url

ANSWER_BYTES = 4 * 1024 * 1024  # of one call, with what comes before it
REFUSED = "it refuses the call"
WANTS_MORE = "it wants to be told more before it answers, which can't be done here"

GREETING = {"protocolVersion", "supportedVersions"}  # one of these is in it


@define
class Heard(Listed):
    """What a server has said in a call: if it lists its tools, that is for the SDK."""

    result: Result = field(factory=dict)
    """What the tool has answered."""

    def take(self, result: Result) -> None:
        """Take what is of use out of an answer, and leave what the SDK needs."""
        if result.keys() & GREETING:
            super().take(result)
        elif "tools" not in result:
            self.result = dict(result)
            result.clear()
            result.update(content=[], resultType="complete")


async def call_tool(
    outbound: Outbound, tool: Tool, arguments: dict[str, Any], seconds: float
) -> Result:
    """What a tool answers, in the protocol's words, as it came. Raises UnreachableError."""
    read_url(tool.url)  # one that was stored by others may be none
    credentials = Credentials(tool.url, tool.headers) if tool.headers else None
    heard, sessions = Heard(), Sessions()
    try:
        async with (
            outbound.visit(ANSWER_BYTES, credentials=credentials, most_seconds=seconds) as http,
            explained(http, sessions, REFUSED, was_sent=credentials is not None),
        ):
            transport = streamable_http_client(
                tool.url, http_client=http, terminate_on_close=False, max_sse_event_size=None
            )
            mode = "legacy" if tool.version in HANDSHAKE_PROTOCOL_VERSIONS else "auto"
            async with Client(take_answers(transport, heard), mode=mode, cache=None) as client:
                heard.version = client.session.protocol_version
                await _call(client, tool.name, arguments)
            if heard.dies_with_sessions:
                sessions.leave()
    except UnreachableError:
        if heard.is_flooded:
            raise UnreachableError(FLOODED) from None
        raise
    finally:
        await sessions.end_later(outbound, tool.url, credentials)
    if heard.result.get("resultType") == "input_required":
        raise UnreachableError(WANTS_MORE)
    if not isinstance(heard.result.get("content", []), list):
        raise UnreachableError(NO_MCP)
    return heard.result


async def _call(client: Client, name: str, arguments: dict[str, Any]) -> None:
    """Once more where the server wants headers that follow from how it lists the tool."""
    request = CallToolRequest(params=CallToolRequestParams(name=name, arguments=arguments))
    try:
        await client.session.send_request(request, CallToolResult)
    except MCPError as error:
        if error.code != HEADER_MISMATCH:
            raise
        await client.list_tools()
        await client.session.send_request(request, CallToolResult)
