"""A sample MCP server with one tool, which says times of the day as clocks with hands do."""

import re

from mcp.server.mcpserver import MCPServer

NAME = "sample_tools"
TIME = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)\b")
HOURS = 12

server = MCPServer(NAME, log_level="WARNING")


@server.tool()
def twelve_hours(text: str) -> str:
    """Rewrites a text so that its hours go from one to twelve."""
    return TIME.sub(_by_hands, text)


def _by_hands(time: re.Match[str]) -> str:
    half, hour = divmod(int(time[1]), HOURS)
    return f"{hour or HOURS}:{time[2]} {'p.m.' if half else 'a.m.'}"
