"""A bare FastMCP server whose one tool answers at once: `python -m tests.benchmarks.bare_tool`.

What the SDK's server takes for a call, with nothing behind it: no user, no agent, nothing stored.
"""

import os

import uvicorn
from mcp.server.mcpserver import MCPServer

from devstack.processes import HOST

PORT = "TOOL_PORT"
TOOL, PATH = "echo", "/mcp"

server = MCPServer("bare", log_level="CRITICAL")


@server.tool(TOOL)
async def echo(message: str) -> str:
    """Echo a message."""
    return message


if __name__ == "__main__":
    app = server.streamable_http_app(stateless_http=True)
    uvicorn.run(app, host=HOST, port=int(os.environ[PORT]), log_config=None, loop="uvloop")
