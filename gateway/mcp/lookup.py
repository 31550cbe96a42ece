"""What an MCP server says about itself, by the official SDK."""

from typing import Any

from attrs import frozen
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import Tool

from gateway.remote.outbound import Outbound, UnreachableError
from shared.codec.converter import parse

MOST_TOOLS = 1000


@frozen
class FoundTool:
    """A tool as its server describes it."""

    name: str
    inputSchema: dict[str, Any]  # noqa: N815 (the protocol's word)
    description: str | None = None
    annotations: dict[str, Any] | None = None


async def look_up(outbound: Outbound, url: str) -> list[FoundTool]:
    """The tools of the server at a URL, each name once. Raises UnreachableError."""
    try:
        async with (
            outbound.visit() as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            tools = await _list_tools(client)
        return list({tool.name: _found(tool) for tool in tools}.values())
    except UnreachableError:
        raise
    except Exception as error:  # the SDK raises anything, in groups, for a strange answer
        raise UnreachableError("it does not answer as an MCP server does") from error


async def _list_tools(client: Client) -> list[Tool]:
    tools: list[Tool] = []
    cursor: str | None = None
    while len(tools) < MOST_TOOLS:
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if cursor is None:
            break
    return tools[:MOST_TOOLS]


def _found(tool: Tool) -> FoundTool:
    """The tool in a form that can be stored: no NUL characters, not too deep."""
    return parse(tool.model_dump_json(by_alias=True), FoundTool)
