"""MCP servers as a kind of what users add by a URL."""

from gateway.mcp import queries
from gateway.mcp.lookup import look_up
from gateway.remote.kinds import Kind

MCP_SERVERS = Kind(
    "MCP server",
    look_up,
    queries.select_due,
    queries.activate_servers,
    queries.update_tools,
    queries.count_failure,
)
