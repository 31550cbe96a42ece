"""What is taken of MCP servers that are not as most are: scripted ones, and the SDK's."""

import json
from typing import Any

import pytest
from mcp.server.mcpserver import MCPServer
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_MODERN_VERSION
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from gateway.mcp.info import ICONS_LIMIT, INSTRUCTIONS_LIMIT
from gateway.mcp.listing import BARREN_LIMIT, MOST_PAGES
from gateway.mcp.lookup import look_up
from gateway.mcp.tools import ALL_LIMIT, MOST_TOOLS, FoundServer
from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import Outbound
from tests.gateway.mcp.scripted import GOOD, Scripted, tool
from tests.gateway.outsiders import running, serving

OUT = Outbound(10.0, allow_private=True)


async def find(server: Scripted, version: str | None = None) -> FoundServer:
    async with serving(server.app) as outsider:
        return await look_up(OUT, outsider.url, version)


def names(found: FoundServer) -> list[str]:
    return [tool.name for tool in found.tools]


@pytest.mark.parametrize("version", HANDSHAKE_PROTOCOL_VERSIONS)
@pytest.mark.parametrize("has_sessions", [True, False])
@pytest.mark.parametrize("streams", [True, False])
async def test_servers_of_every_revision_are_read_page_by_page(
    version: str, has_sessions: bool, streams: bool
) -> None:
    pages = {None: {"tools": [tool("a")], "nextCursor": "2"}, "2": {"tools": [tool("b")]}}
    server = Scripted(pages, version, has_sessions=has_sessions, streams=streams)
    found = await find(server)
    assert (names(found), found.version, found.is_whole) == (["a", "b"], version, True)
    assert server.sessions == set()


async def test_one_that_is_known_to_be_older_is_not_asked_again() -> None:
    server = Scripted({None: {"tools": [GOOD]}}, has_sessions=True)
    found = await find(server)
    assert server.asked[0] == "server/discover"
    server.asked.clear()
    assert await find(server, found.version) == found
    assert server.asked == ["initialize", "notifications/initialized", "tools/list", "DELETE"]
    assert server.sessions == set()


@pytest.mark.parametrize(
    ("told", "version", "left"),
    [
        ("1.9.4", "2025-03-26", 2),
        ("1.8.1", "2024-11-05", 2),
        ("1.9.4", "2025-06-18", 0),
        ("1.10.1", "2025-03-26", 0),
        (None, "2025-03-26", 0),
    ],
)
async def test_sessions_are_left_to_a_server_that_would_die_with_them(
    told: Any, version: str, left: int
) -> None:
    info = {"name": "outsider", "version": told}
    server = Scripted({None: {"tools": [GOOD]}}, version, info, has_sessions=True)
    assert names(await find(server)) == ["good"]
    assert len(server.sessions) == left


async def test_a_session_of_a_failed_look_up_is_ended() -> None:
    server = Scripted({}, has_sessions=True)
    with pytest.raises(UnreachableError, match="it does not list its tools"):
        await find(server)
    assert server.sessions == set()


async def test_a_session_that_can_not_be_named_is_told() -> None:
    server = Scripted({None: {"tools": [GOOD]}}, has_sessions=True, session="é")
    with pytest.raises(UnreachableError, match="it does not list its tools"):
        await find(server)


@pytest.mark.parametrize(
    ("following", "requests"),
    [
        ({None: ""}, 1),
        ({None: None}, 1),
        ({None: 5}, 1),
        ({None: "a", "a": "a"}, 2),
        ({None: "a", "a": "b", "b": "a"}, 3),
    ],
)
async def test_a_cursor_that_leads_nowhere_new_ends_the_listing(
    following: dict[str | None, Any], requests: int
) -> None:
    pages = {
        cursor: {"tools": [tool(f"t{cursor}")], "nextCursor": after}
        for cursor, after in following.items()
    }
    server = Scripted(pages)
    found = await find(server)
    assert server.asked.count("tools/list") == requests
    assert (len(found.tools), found.is_whole) == (requests, True)


@pytest.mark.parametrize("tools", [[], [GOOD]])
async def test_pages_without_anything_new_end_the_listing(tools: list[Any]) -> None:
    pages = {
        (str(n) if n else None): {"tools": tools, "nextCursor": str(n + 1)} for n in range(500)
    }
    server = Scripted(pages)
    found = await find(server)
    assert names(found) == [one["name"] for one in tools]
    assert server.asked.count("tools/list") <= BARREN_LIMIT + 1


async def test_so_many_pages_are_asked_for_and_what_they_had_is_kept() -> None:
    pages = {
        (str(n) if n else None): {"tools": [tool(f"t{n}")], "nextCursor": str(n + 1)}
        for n in range(500)
    }
    server = Scripted(pages)
    found = await find(server)
    assert (len(found.tools), found.is_whole) == (MOST_PAGES, False)
    assert server.asked.count("tools/list") == MOST_PAGES


async def test_a_page_that_fails_leaves_those_before() -> None:
    found = await find(Scripted({None: {"tools": [GOOD], "nextCursor": "gone"}}))
    assert (names(found), found.is_whole) == (["good"], False)


async def test_thousands_of_tools_are_taken_as_far_as_there_is_room() -> None:
    found = await find(Scripted({None: {"tools": [tool(f"t{n}") for n in range(3000)]}}))
    assert len(found.tools) == MOST_TOOLS
    assert len(found.left_out) == 3000 - MOST_TOOLS
    assert found.left_out[0].reason == "its server has more than 1,000 tools"


async def test_megabytes_of_schema_cost_the_tools_that_have_them() -> None:
    large = {"type": "object", "properties": {"a": {"description": "d" * 60_000}}}
    huge = {"type": "object", "properties": {"a": {"enum": ["d" * 2_000_000]}}}
    tools = [{"name": "huge", "inputSchema": huge}, GOOD]
    tools += [{"name": f"large{n}", "inputSchema": large} for n in range(20)]
    found = await find(Scripted({None: {"tools": tools}}))
    assert names(found)[0] == "good"
    assert len(found.tools) == 1 + ALL_LIMIT // 60_100
    assert found.left_out[0].reason == "its input schema is too large"
    assert found.left_out[-1].reason == "its server's tools are larger than 1 MB together"


DEEP = '{"type": "object", "properties": {"a": ' * 150 + "{}" + "}}" * 150


@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize(
    ("odd", "description"),
    [
        ({"name": "odd", "description": "a\x00b"}, "a\ufffdb"),
        ({"name": "odd", "description": "a\ud800b \U0001f600"}, "a\ufffdb \U0001f600"),
        ({"name": "odd", "description": "d", "inputSchema": json.loads(DEEP)}, "d"),
        ({"name": "odd", "description": "d", "outputSchema": {"$ref": "#/$defs/A"}}, "d"),
        ({"name": "odd", "description": "d", "outputSchema": {"type": "array"}}, "d"),
        ({"name": "odd", "description": "d", "annotations": {"readOnlyHint": "so so"}}, "d"),
        ({"name": "odd", "description": "d", "inputSchema": {"$schema": "x"}}, "d"),
        ({"name": "odd", "description": "d", "inputSchema": {"anyOf": [{}, {}]}}, "d"),
        ({"name": "odd", "description": "d", "inputSchema": None}, "d"),
        ({"name": "odd", "description": "d", "inputSchema": True}, "d"),
    ],
)
async def test_a_tool_that_is_odd_is_taken_and_leaves_the_others(
    odd: dict[str, Any], description: str, streams: bool
) -> None:
    found = await find(Scripted({None: {"tools": [GOOD, odd]}}, streams=streams))
    assert (names(found), found.left_out) == (["good", "odd"], [])
    assert found.tools[1].description == description


async def test_names_that_clash_are_told() -> None:
    found = await find(Scripted({None: {"tools": [GOOD, {**GOOD, "description": "last"}]}}))
    assert [one.description for one in found.tools] == ["last"]
    assert [(one.name, one.reason) for one in found.left_out] == [
        ("good", "another tool has the same name")
    ]


@pytest.mark.parametrize("capabilities", [{}, {"prompts": {}}, {"resources": 5}, None, [], "odd"])
async def test_a_server_without_tools_is_taken(capabilities: Any) -> None:
    found = await find(Scripted({}, capabilities=capabilities))
    assert (found.tools, found.is_whole) == ([], True)


@pytest.mark.parametrize("info", [{"name": "outsider"}, {}, None, "odd", {"name": 5}])
async def test_a_server_that_says_little_of_itself_is_taken(info: Any) -> None:
    found = await find(Scripted({None: {"tools": [GOOD]}}, info=info))
    kept = {"name": "outsider"} if info == {"name": "outsider"} else {}
    assert found.info == {**kept, "protocolVersion": "2025-06-18"}


async def test_what_a_server_says_of_itself_is_kept_as_far_as_it_is_good() -> None:
    icon = {"src": "https://example.com/i.png", "mimeType": "image/png", "sizes": ["48x48"]}
    bad = [{"src": "javascript:alert(1)"}, {}, 5, {"src": "data:image/png;base64," + "A" * 99_999}]
    info = {"name": "n\x00", "title": "T", "version": "1", "icons": [*bad, *[icon] * 20]}
    extra = {"instructions": "I" * 99_999}
    found = await find(Scripted({None: {"tools": [GOOD]}}, info=info, extra=extra))
    assert found.info == {
        "name": "n\ufffd",
        "title": "T",
        "version": "1",
        "icons": [icon] * (ICONS_LIMIT - len(bad)),
        "instructions": "I" * INSTRUCTIONS_LIMIT,
        "protocolVersion": "2025-06-18",
    }


class Node(BaseModel):
    """A tree."""

    value: int
    children: "list[Node]" = []


async def test_recursive_models_of_the_sdk_s_server_are_taken() -> None:
    server = MCPServer("trees", version="1.2", instructions="Grow.", log_level="CRITICAL")

    @server.tool()
    def grow(tree: Node) -> Node:
        return tree

    async with running(server) as [app], serving(app) as outsider:
        found = await look_up(OUT, f"{outsider.url}/mcp")
    [one] = found.tools
    assert "$ref" in json.dumps(one.inputSchema)
    assert one.flattened is not None
    assert "$ref" not in json.dumps(one.flattened)
    assert one.flattened["properties"]["tree"]["properties"]["children"]["type"] == "array"
    assert found.version == LATEST_MODERN_VERSION
    kept = {name: found.info[name] for name in ("name", "version", "instructions")}
    assert kept == {"name": "trees", "version": "1.2", "instructions": "Grow."}


async def test_a_server_of_the_older_transport_is_told_so() -> None:
    async def stream(_request: Request) -> StreamingResponse:
        async def events() -> Any:
            yield "event: endpoint\ndata: /messages?session_id=1\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    async with serving(Starlette(routes=[Route("/sse", stream)])) as outsider:
        with pytest.raises(UnreachableError, match="it speaks the older 'HTTP\\+SSE' protocol"):
            await look_up(OUT, f"{outsider.url}/sse")
