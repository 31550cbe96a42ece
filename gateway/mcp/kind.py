"""MCP servers as a kind of what users add by a URL."""

from databases.core import Connection

from gateway.mcp import queries
from gateway.mcp.lookup import look_up
from gateway.mcp.tools import FoundTool
from gateway.remote.kinds import Kind


async def _update(connection: Connection, url: str, tools: list[FoundTool]) -> None:
    ids = await queries.activate_servers(connection, url)
    await queries.update_tools(connection, ids, tools)


MCP_SERVERS = Kind("MCP server", look_up, queries.select_urls, _update, queries.deactivate_servers)
