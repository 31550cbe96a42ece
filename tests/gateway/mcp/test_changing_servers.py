"""MCP servers whose tools change while they are listed, and those that never stop talking."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import mcp_types as types
import pytest
from attrs import define, field
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route

from gateway.mcp.listing import CHANGED, MESSAGES_LIMIT, RELISTINGS
from gateway.mcp.lookup import FLOODED, look_up
from gateway.mcp.tools import FoundServer
from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import Outbound
from tests.gateway.mcp.scripted import GOOD, Scripted, tool
from tests.gateway.outsiders import serving

OUT = Outbound(10.0, allow_private=True)
OLDER = "2025-11-25"  # one whose servers say that themselves
MILLION = 1_000_000
TOLD: dict[str, Any] = {"jsonrpc": "2.0", "method": CHANGED}


def names(found: FoundServer) -> list[str]:
    return [each.name for each in found.tools]


@define
class Growing:
    """A server of the SDK that has one more tool each time it is asked, and says so so often."""

    changes: int
    asked: int = 0

    async def list_tools(
        self, context: Any, _asked: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """List them, after it was said that there are others."""
        listed = [types.Tool.model_validate(tool(f"t{n}")) for n in range(self.asked + 1)]
        self.asked += 1
        if self.asked <= self.changes:
            changed = types.ToolListChangedNotification()
            await context.session.send_notification(changed, related_request_id=context.request_id)
        return types.ListToolsResult(tools=listed)


@pytest.mark.parametrize(("changes", "asked"), [(0, 1), (1, 2), (2, 3), (99, 1 + RELISTINGS)])
async def test_tools_that_change_meanwhile_are_listed_again_but_not_for_ever(
    changes: int, asked: int
) -> None:
    growing = Growing(changes)
    sessions = StreamableHTTPSessionManager(
        Server("growing", on_list_tools=growing.list_tools), stateless=False
    )
    app = Starlette(routes=[Mount("/mcp", sessions.handle_request)])
    async with sessions.run(), serving(app) as outsider:
        found = await look_up(OUT, f"{outsider.url}/mcp/", OLDER)
    assert (growing.asked, found.is_whole) == (asked, True)
    assert names(found) == [f"t{n}" for n in range(asked)]


@define
class Talking:
    """A scripted server that says these before it lists its tools, and something a million times.

    It may list them but once.
    """

    server: Scripted
    before: list[Any] = field(factory=list)
    endless: Any = None
    lists_once: bool = False

    @property
    def app(self) -> Starlette:
        """The application."""
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=["POST"])])

    async def _answer(self, request: Request) -> Response:
        asked = await request.json()
        if asked["method"] != "tools/list":
            return await self.server._answer(request)
        if self.lists_once and "tools/list" in self.server.asked:
            return Response(status_code=500)
        answer = await self.server._answer(request)
        return StreamingResponse(self._events(bytes(answer.body)), media_type="text/event-stream")

    async def _events(self, answer: bytes) -> AsyncIterator[bytes]:
        for each in self.before:
            yield b"data: %b\n\n" % json.dumps(each).encode()
        hundred = b"data: %b\n\n" % json.dumps(self.endless).encode() * 100
        for _ in range(MILLION // 100 if self.endless else 0):
            yield hundred
            await asyncio.sleep(0)  # its client has the same loop
        yield b"data: %b\n\n" % answer


async def test_what_was_listed_stays_where_it_can_not_be_listed_again() -> None:
    talking = Talking(Scripted({None: {"tools": [GOOD]}}, OLDER), [TOLD], lists_once=True)
    async with serving(talking.app) as outsider:
        found = await look_up(OUT, outsider.url, OLDER)
    assert (names(found), found.is_whole) == (["good"], True)


@pytest.mark.parametrize(
    "endless",
    [
        TOLD,
        {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info"}},
        {"jsonrpc": "2.0", "id": "ping", "method": "ping"},
    ],
    ids=["list_changed", "log", "ping"],
)
async def test_a_server_that_never_stops_talking_is_heard_no_more(endless: Any) -> None:
    talking = Talking(Scripted({None: {"tools": [GOOD]}}, OLDER), endless=endless)
    async with serving(talking.app) as outsider:
        with pytest.raises(UnreachableError) as caught:
            await look_up(OUT, outsider.url, OLDER)
    assert str(caught.value) == FLOODED


async def test_log_entries_before_an_answer_are_passed_over() -> None:
    log = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": 5}}
    talking = Talking(Scripted({None: {"tools": [GOOD]}}, OLDER), [log] * (MESSAGES_LIMIT // 2))
    async with serving(talking.app) as outsider:
        found = await look_up(OUT, outsider.url, OLDER)
    assert (names(found), found.is_whole) == (["good"], True)
