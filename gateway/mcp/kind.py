"""MCP servers as a kind of what users add by a URL."""

from gateway.mcp import queries
from gateway.mcp.checking import lists_the_same
from gateway.mcp.lookup import look_up
from gateway.mcp.storing import update_servers
from gateway.remote.kinds import Kind

MCP_SERVERS = Kind(
    "MCP server",
    look_up,
    lists_the_same,
    queries.select_sent,
    queries.select_due,
    queries.activate_servers,
    update_servers,
    queries.count_failure,
    queries.note_refusal,
)
