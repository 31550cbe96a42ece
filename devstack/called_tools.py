"""Calls tools of MCP servers, by the official SDK."""

from typing import Any

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import TextContent

from devstack.choosing import Candidate

CALL_SECONDS = 300.0


async def call_tool(tool: Candidate, arguments: dict[str, Any]) -> tuple[bool, Any]:
    """Whether the tool did what it was to do, and its text or its result, or why it did not."""
    try:
        async with (
            httpx2.AsyncClient(headers=tool.headers, timeout=CALL_SECONDS) as http,
            Client(streamable_http_client(tool.url, http_client=http)) as client,
        ):
            result = await client.call_tool(tool.tool_name, arguments)
    except (MCPError, httpx2.HTTPError, ExceptionGroup) as fault:
        return False, f"the MCP server does not answer: {_first(fault)}"
    texts = [one.text for one in result.content if isinstance(one, TextContent)]
    output = "\n".join(texts) if texts else result.structured_content
    return not result.is_error, output


def _first(fault: Exception) -> Exception:
    while isinstance(fault, ExceptionGroup):
        fault = fault.exceptions[0]
    return fault
