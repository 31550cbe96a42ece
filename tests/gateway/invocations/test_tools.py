"""Tools of MCP servers, asked themselves through the real gateway."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from attrs import frozen
from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.mcp.calling import ANSWER_BYTES
from gateway.web.turns import ASKED_PER_USER
from shared.codec.depth import DEPTH_LIMIT
from tests.gateway.groups.sharing import make_group, share, unshare
from tests.gateway.mcp.scripted import Scripted, tool
from tests.gateway.outsiders import Outsider, running, serving
from tests.gateway.shapes import good
from tests.system import System
from tests.users import Json, User, register_user

PIXEL = b"\x89PNG-or-so"
SECRET = "abc-of-the-server"
NOWHERE = "00000000-0000-4000-8000-000000000000"


def make_server() -> MCPServer:
    server = MCPServer("outsider", log_level="CRITICAL")

    @server.tool()
    async def add(a: int, b: int = 2) -> int:
        return a + b

    @server.tool()
    async def draw() -> Image:
        return Image(data=PIXEL, format="png")

    @server.tool()
    async def fail() -> str:
        raise ToolError("no paint is left")

    @server.tool()
    async def tell_all(context: Context) -> str:
        request = context.request_context.request
        assert request is not None
        headers = request.headers
        return f"{headers.get('x-api-key')} {headers.get('authorization')}"

    @server.tool()
    async def hang() -> str:
        await asyncio.sleep(3600)
        return ""

    @server.tool()
    async def flood() -> str:
        return "a" * (ANSWER_BYTES + 1)

    return server


@frozen
class Added:
    """A server that a user has added."""

    outsider: Outsider
    id: str
    tools: dict[str, str]

    async def call(self, user: User, name: str, wait: float = 20, **arguments: Any) -> Any:
        path = f"/api/mcp/servers/{self.id}/tools/{self.tools[name]}/call"
        given = {"arguments": arguments}
        return await user.http.post(path, params={"wait": wait}, json=given)


async def add(user: User, outsider: Outsider, **others: Any) -> Added:
    new = {"server_url": f"{outsider.url}/mcp", **others}
    id_ = good(await user.http.post("/api/mcp/servers", json=new))["id"]
    tools = good(await user.http.get(f"/api/mcp/servers/{id_}"))["mcp_tools"]
    return Added(outsider, id_, {each["name"]: each["id"] for each in tools})


@pytest.fixture
async def added(user: User) -> AsyncIterator[Added]:
    async with running(make_server()) as [app], serving(app) as outsider:
        yield await add(user, outsider)


@asynccontextmanager
async def scripted(user: User, result: Any, **others: Any) -> AsyncIterator[Added]:
    """A server with the tool "t", which answers so, and keeps sessions."""
    server = Scripted({None: {"tools": [tool("t")]}}, has_sessions=True, **others)
    server.results["tools/call"] = result
    async with serving(server.app) as outsider:
        yield await add(user, outsider)
        assert server.sessions == set()


def refused(response: httpx2.Response, status: int = 502) -> str:
    assert response.status_code == status, response.text
    detail: str = response.json()["detail"]
    return detail


async def test_a_tool_answers_its_text_and_its_data(user: User, added: Added) -> None:
    assert good(await added.call(user, "add", a=1)) == {
        "is_error": False,
        "content": [{"type": "text", "text": "3"}],
        "structured_content": {"result": 3},
    }


async def test_images_are_told_as_base64(user: User, added: Added) -> None:
    [image] = good(await added.call(user, "draw"))["content"]
    data = b64encode(PIXEL).decode()
    assert image == {"type": "image", "data": data, "mime_type": "image/png"}


async def test_a_tool_that_fails_says_so_itself(user: User, added: Added) -> None:
    answer = good(await added.call(user, "fail"))
    assert answer["is_error"]
    assert "no paint is left" in answer["content"][0]["text"]
    wrong = good(await added.call(user, "add", a="x"))
    assert wrong["is_error"]
    assert "a" in wrong["content"][0]["text"]


async def test_a_tool_that_hangs_is_not_waited_for_longer_than_is_asked(
    user: User, added: Added
) -> None:
    detail = refused(await added.call(user, "hang", wait=0.5))
    assert detail.startswith("Could not access MCP server on: ")
    assert detail.endswith("It gives no answer within 0.5 seconds")


async def test_an_answer_that_is_too_large_is_none(user: User, added: Added) -> None:
    detail = refused(await added.call(user, "flood"))
    assert detail.endswith(f"It answers more than {ANSWER_BYTES} bytes")


async def test_so_many_calls_of_a_user_go_on_at_a_time(user: User, added: Added) -> None:
    async with asyncio.TaskGroup() as tasks:
        hanging = [
            tasks.create_task(added.call(user, "hang", wait=9)) for _ in range(ASKED_PER_USER)
        ]
        await asyncio.wait(hanging, timeout=0.5)
        more = await added.call(user, "add", a=1)
    assert more.status_code == 429
    assert more.headers["retry-after"] == "1"
    assert {task.result().status_code for task in hanging} == {502}


async def test_a_server_that_is_away_or_lets_nobody_in_is_told_in_a_sentence(
    user: User, added: Added
) -> None:
    async def answer(request: Request) -> Response:
        return JSONResponse([], int(request.app.state.status))

    added.outsider.app = app = Starlette(routes=[Route("/mcp", answer, methods=["POST"])])
    for status, said in (
        (401, "It answers 401 Unauthorized: it wants to know who asks, "),
        (403, "It answers 403 Forbidden: it wants to know who asks, "),
        (500, "It answers 500 Internal Server Error"),
        (200, "It does not answer as an MCP server does, "),
    ):
        app.state.status = status
        assert said in refused(await added.call(user, "add", a=1))


async def test_a_server_that_is_gone_is_told_in_a_sentence(user: User) -> None:
    async with running(make_server()) as [app], serving(app) as outsider:
        added = await add(user, outsider)
    detail = refused(await added.call(user, "add", a=1))
    assert "The connection to it fails (Connection refused)" in detail


async def test_what_is_no_call_is_refused(user: User, added: Added, system: System) -> None:
    path = f"/api/mcp/servers/{added.id}/tools/{added.tools['add']}/call"
    deep = json.loads("[" * DEPTH_LIMIT + "]" * DEPTH_LIMIT)
    for arguments in ([1], {"a": deep}):
        detail = refused(await user.http.post(path, json={"arguments": arguments}), 400)
        assert detail.startswith("'arguments' must ")
    for wait in (0, 51, "long"):
        answer = await user.http.post(path, params={"wait": wait}, json={"arguments": {}})
        assert answer.status_code == 422
    large = {"arguments": {"a": "x" * system.settings.max_message_bytes}}
    detail = refused(await user.http.post(path, json=large), 400)
    assert detail.startswith("What is asked must have at most ")
    for unknown in (path.replace(added.id, NOWHERE), path.replace(added.tools["add"], NOWHERE)):
        assert "There is no tool" in refused(await user.http.post(unknown, json={}), 404)


async def test_a_server_is_sent_what_it_is_to_be_sent_and_that_is_not_shown(user: User) -> None:
    async with running(make_server()) as [app], serving(app) as outsider:
        sent = {"headers": {"X-Api-Key": SECRET}, "bearer_token": "t0k3n-of-it"}
        added = await add(user, outsider, **sent)
        answer = good(await added.call(user, "tell_all"))
        assert answer["content"][0]["text"] == "******** ********"
        assert answer["structured_content"] == {"result": "******** ********"}


async def test_members_of_a_group_call_what_is_shared_with_them(
    user: User, added: Added, system: System
) -> None:
    async with register_user(system.gateway) as member:
        assert "There is no tool" in refused(await added.call(member, "add", a=1), 404)
        group_id = await make_group(user, member)
        share_id = await share(user, group_id, "mcp_server", added.id)
        assert good(await added.call(member, "add", a=1))["structured_content"] == {"result": 3}
        await unshare(user, group_id, share_id)
        assert "There is no tool" in refused(await added.call(member, "add", a=1), 404)


PARTS = [
    {"type": "text", "text": "a\0"},
    {"type": "audio", "data": "YQ==", "mimeType": "audio/wav"},
    {"type": "resource", "resource": {"uri": "file:///a", "text": "b", "mimeType": "text/plain"}},
    {"type": "resource", "resource": {"uri": "file:///c", "blob": "Yw=="}},
    {"type": "resource_link", "uri": "https://example.com/", "name": "d"},
    {"type": "text", "text": 5},
    {"type": "hologram", "text": "e"},
    None,
]


async def test_content_of_every_kind_is_told_and_what_is_none_is_not(user: User) -> None:
    async with scripted(user, {"content": PARTS}) as added:
        assert good(await added.call(user, "t")) == {
            "is_error": False,
            "content": [
                {"type": "text", "text": "a\0"},
                {"type": "audio", "data": "YQ==", "mime_type": "audio/wav"},
                {
                    "type": "resource",
                    "text": "b",
                    "mime_type": "text/plain",
                    "uri": "file:///a",
                },
                {"type": "resource", "data": "Yw==", "uri": "file:///c"},
                {"type": "resource_link", "uri": "https://example.com/", "name": "d"},
                {"type": "text"},
                {"type": "other"},
                {"type": "other"},
            ],
        }


async def test_what_a_server_refuses_it_says_itself(user: User) -> None:
    async with scripted(user, None) as added:
        assert refused(await added.call(user, "t")).endswith(
            "It refuses the call: Method not found"
        )
    wanting: Json = {"resultType": "input_required", "inputRequests": {}}
    async with scripted(user, wanting) as added:
        assert "It wants to be told more" in refused(await added.call(user, "t"))


async def test_one_that_sends_messages_without_end_is_not_listened_to(user: User) -> None:
    async with scripted(user, {"content": []}) as added:

        async def babble(request: Request) -> Response:
            asked = await request.json()
            if asked["method"] != "tools/call":
                answer = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {}}
                return JSONResponse({"jsonrpc": "2.0", "id": asked.get("id"), "result": answer})
            note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {}}
            return Response(f"data: {json.dumps(note)}\n\n" * 1001, media_type="text/event-stream")

        added.outsider.app = Starlette(routes=[Route("/mcp", babble, methods=["POST"])])
        assert "It sends more than 1,000 messages" in refused(await added.call(user, "t"))
