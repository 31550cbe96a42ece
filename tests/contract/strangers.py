"""The MCP and A2A servers of the recordings, built again, and the refresh that looks them up."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations
from starlette.types import ASGIApp

from gateway.a2a.kind import A2A_AGENTS
from gateway.mcp.kind import MCP_SERVERS
from gateway.remote.kinds import MOST_FAILURES, Kind, Target
from gateway.remote.outbound import Outbound
from shared.postgres.pool import create_database
from shared.secrets import Vault
from tests.contract.areas import Stage
from tests.contract.replay import Event
from tests.gateway.outsiders import Outsider, answering, running, serving
from tests.gateway.shapes import good

MCP_HOSTS = "http://host.docker.internal:8888", "http://127.0.0.1:8888"
A2A_HOSTS = "http://host.docker.internal:10002", "http://127.0.0.1:10002"
NOWHERE = {"http://<host-that-does-not-resolve>": "http://nobody.invalid"}
DEAD = answering({"detail": "dead"}, 503)
CARD = {
    "name": "Reimbursement Agent",
    "description": "Handles reimbursements.",
    "url": "http://host.docker.internal:10002",
    "version": "1.0.0",
    "capabilities": {"streaming": True},
    "defaultInputModes": ["text", "text/plain"],
    "defaultOutputModes": ["text", "text/plain"],
    "skills": [
        {
            "id": "process_reimbursement",
            "name": "Process Reimbursement Tool",
            "description": "Helps with the reimbursement process.",
            "examples": ["Can you reimburse me $20?"],
            "tags": ["reimbursement"],
        },
        {
            "id": "second",
            "name": "Second skill",
            "description": "Does second things.",
            "tags": [],
        },
    ],
}


def make_tools() -> MCPServer:
    """The MCP server of the recordings."""
    server = MCPServer("tools", log_level="CRITICAL")

    def test_tool(name: str) -> str:
        return name

    def add(a: int, b: int = 2) -> str:
        return str(a + b)

    def no_args() -> str:
        return ""

    annotations = ToolAnnotations(title="Adder", read_only_hint=True)
    server.add_tool(test_tool, description="Returns name", structured_output=False)
    server.add_tool(
        add,
        name="add numbers",
        description="Adds two numbers",
        annotations=annotations,
        structured_output=False,
    )
    server.add_tool(no_args, description="", structured_output=False)
    return server


async def mcp(stage: Stage) -> Mapping[str, Event]:
    """An MCP server under two names, that dies and comes back."""
    outsider, app = await _serve_tools(stage)

    async def die() -> None:
        outsider.app = DEAD
        await _refresh(stage, MCP_SERVERS, *urls * MOST_FAILURES)

    async def come_back() -> None:
        outsider.app = app

    async def refresh() -> None:
        await _refresh(stage, MCP_SERVERS, *urls)

    urls = [f"{host}/mcp{slash}" for host in _both(outsider) for slash in ("", "/")]
    return {
        "list: after the server died and a refresh": die,
        "add again once the server is back: reactivates": come_back,
        "list: after the server is back and a refresh": refresh,
    }


async def a2a(stage: Stage) -> Mapping[str, Event]:
    """An A2A server under two names, that dies and comes back, and three that never were good."""
    outsider = await _serve_card(stage)
    alive = outsider.app
    others = {
        "http://127.0.0.1:10003": answering({}, 404),
        "http://127.0.0.1:10004": answering(b"<html></html>"),
        "http://127.0.0.1:10005": answering({"name": "Only a name"}),
    }
    for recorded, app in others.items():
        other = await stage.stack.enter_async_context(serving(app))
        stage.replay.binding.literals[recorded] = other.url

    async def refresh() -> None:
        await _refresh(stage, A2A_AGENTS, *_both(outsider))

    async def die() -> None:
        outsider.app = DEAD
        await _refresh(stage, A2A_AGENTS, *_both(outsider) * MOST_FAILURES)

    async def come_back() -> None:
        outsider.app = alive

    return {
        "get: after a refresh (server alive)": refresh,
        "list: after the server died and a refresh": die,
        "add again once it is back: reactivates": come_back,
    }


async def add_tools(stage: Stage) -> None:
    """Give A the MCP server of the recordings."""
    outsider, _ = await _serve_tools(stage)
    url = {"server_url": f"{_both(outsider)[0]}/mcp"}
    good(await stage.users["A"].http.post("/api/mcp/servers", json=url))


async def add_card(stage: Stage) -> None:
    """Give A the A2A agent of the recordings."""
    outsider = await _serve_card(stage)
    url = {"server_url": _both(outsider)[0]}
    good(await stage.users["A"].http.post("/api/a2a/agents", json=url))


async def _serve_tools(stage: Stage) -> tuple[Outsider, ASGIApp]:
    [app] = await stage.stack.enter_async_context(running(make_tools()))
    outsider = await stage.stack.enter_async_context(serving(app))
    named = zip(MCP_HOSTS, _both(outsider), strict=True)
    stage.replay.binding.literals |= {**dict(named), **NOWHERE}
    return outsider, app


async def _serve_card(stage: Stage) -> Outsider:
    outsider = await stage.stack.enter_async_context(
        serving(answering(CARD, path=".well-known/agent.json"))
    )
    named = zip(A2A_HOSTS, _both(outsider), strict=True)
    stage.replay.binding.literals |= {**dict(named), **NOWHERE}
    return outsider


def _both(outsider: Outsider) -> tuple[str, str]:
    """Two names of one server."""
    return f"http://localhost:{urlsplit(outsider.url).port}", outsider.url


async def _refresh(stage: Stage, kind: Kind[Any], *urls: str) -> None:
    """Look these up as the gateway does every minute."""
    settings = stage.system.settings
    vault, outbound = Vault(settings.encryption_keys), Outbound(10.0, allow_private=True)
    async with create_database(settings) as database:
        for url in urls:
            await kind.look_up_again(database, vault, outbound, Target(url))
