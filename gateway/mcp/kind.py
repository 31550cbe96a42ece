"""MCP servers as a kind of what users add by a URL."""

from typing import TYPE_CHECKING

from gateway.mcp import queries
from gateway.mcp.storing import update_servers
from gateway.remote.kinds import Kind
from shared.process.later import Later

if TYPE_CHECKING:
    from gateway.mcp import checking, lookup
else:  # what imports the SDK
    checking, lookup = Later("gateway.mcp.checking"), Later("gateway.mcp.lookup")

MCP_SERVERS = Kind(
    "MCP server",
    lookup.look_up,
    checking.lists_the_same,
    queries.select_sent,
    queries.select_due,
    queries.activate_servers,
    update_servers,
    queries.count_failure,
    queries.note_refusal,
)
