"""Servers of strangers on loopback: MCP by the SDK, A2A by cards, and ones that misbehave."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import uvicorn
from a2a.server.routes import create_agent_card_routes
from a2a.types import AgentCard, AgentSkill
from attrs import define, field
from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from devstack.processes import HOST

type Answer = Callable[[Request], Awaitable[Response]]


@define
class Outsider:
    """A server whose application can be replaced while it runs."""

    url: str
    app: ASGIApp
    posts: list[str] = field(factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve by the present application."""
        if scope["type"] == "http":
            self.posts.append(f"{scope['method']} {scope['path']}")
        await self.app(scope, receive, send)


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0) -> AsyncIterator[Outsider]:
    """An application at a port, by default its own; who comes early waits until it accepts."""
    listener = socket.create_server((HOST, port))
    outsider = Outsider(f"http://{HOST}:{listener.getsockname()[1]}", app)
    server = uvicorn.Server(uvicorn.Config(outsider, log_config=None, lifespan="off"))
    task = asyncio.create_task(server._serve([listener]))
    try:
        yield outsider
    finally:
        server.should_exit = server.force_exit = True
        await task


def make_mcp(*names: str, description: str = "Returns text") -> MCPServer:
    """An MCP server with such tools."""
    server = MCPServer("outsider", log_level="CRITICAL")
    for name in names:

        async def tool(text: str) -> str:
            return text

        server.add_tool(tool, name=name, description=description)
    return server


@asynccontextmanager
async def running(*servers: MCPServer) -> AsyncIterator[list[ASGIApp]]:
    """The applications of MCP servers, able to answer."""
    async with AsyncExitStack() as stack:
        apps = [server.streamable_http_app() for server in servers]
        for server in servers:
            await stack.enter_async_context(server.session_manager.run())
        yield list(apps)


def make_card(name: str = "My Agent", description: str = "Does things.") -> AgentCard:
    """A card with one skill."""
    skill = AgentSkill(id="s", name="A skill", description="Does one thing.", tags=["t"])
    return AgentCard(
        name=name,
        description=description,
        version="1.0.0",
        skills=[skill],
        default_input_modes=["text"],
        default_output_modes=["text"],
    )


def card_app(card: AgentCard) -> ASGIApp:
    """The SDK's server of a card."""
    return Starlette(routes=create_agent_card_routes(card))


def answering(content: object, status: int = 200, path: str = "{path:path}") -> ASGIApp:
    """A server that says the same to everybody."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()

    async def answer(_request: Request) -> Response:
        return Response(body, status, media_type="application/json")

    return Starlette(routes=[Route(f"/{path}", answer, methods=["GET", "POST", "DELETE"])])


def listing(*tools: object, refusal: str | None = None) -> ASGIApp:
    """An MCP server that lists these, good or not, or refuses to; the SDK's are all good."""
    results = {
        "initialize": {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "outsider", "version": "1"},
        },
        "tools/list": {"tools": tools},
    }
    if refusal is not None:
        del results["tools/list"]

    async def answer(request: Request) -> Response:
        asked = await request.json()
        if "id" not in asked:
            return Response(status_code=202)
        told: dict[str, object] = {"error": {"code": -32601, "message": refusal or "Not found"}}
        if asked["method"] in results:
            told = {"result": results[asked["method"]]}
        return JSONResponse({"jsonrpc": "2.0", "id": asked["id"], **told})

    return Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])
