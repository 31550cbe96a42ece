"""Short look-ups: whether a server lists what it listed, by one request."""

from typing import Any

import pytest
from starlette.types import ASGIApp

from gateway.mcp.checking import lists_the_same
from gateway.mcp.lookup import look_up
from gateway.remote.credentials import Credentials
from gateway.remote.outbound import Outbound
from tests.gateway.mcp.scripted import GOOD, Scripted, tool
from tests.gateway.outsiders import answering, make_mcp, running, serving
from tests.gateway.remote.test_outbound import hang, listening

OUT = Outbound(1.0, allow_private=True)
VERSION = "2025-06-18"
PAGE = {"tools": [GOOD, tool("other"), {**GOOD, "name": "odd", "inputSchema": None}, 7]}
SPOILT = {"tools": [{**GOOD, "description": "\ud800 half", "nested": 10**30, "part": 1e400}]}


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("page", [PAGE, SPOILT], ids=["odd", "spoilt"])
async def test_one_request_tells_that_a_server_lists_the_same(page: Any, streams: bool) -> None:
    scripted = Scripted({None: page}, VERSION, streams=streams)
    async with serving(scripted.app) as outsider:
        found = await look_up(OUT, outsider.url)
        assert found.version is not None
        assert found.digest is not None
        scripted.asked.clear()
        assert await lists_the_same(OUT, outsider.url, found.version, found.digest, None)
        assert scripted.asked == ["tools/list"]
        page["tools"].append(tool("new"))
        assert not await lists_the_same(OUT, outsider.url, found.version, found.digest, None)
        page["tools"].pop()


async def test_servers_of_the_sdk_that_keep_no_sessions_take_it() -> None:
    server = make_mcp("one", "two")
    async with running(server) as [app], serving(app) as outsider:
        url = f"{outsider.url}/mcp"
        found = await look_up(OUT, url)
        assert found.version == "2026-07-28"
        assert found.digest is not None
        outsider.posts.clear()
        assert await lists_the_same(OUT, url, found.version, found.digest, None)
        assert outsider.posts == ["POST /mcp"]


@pytest.mark.parametrize(
    "server",
    [
        Scripted({None: PAGE}, has_sessions=True),
        Scripted({None: {**PAGE, "nextCursor": "2"}, "2": {"tools": [tool("last")]}}),
        Scripted({}),
    ],
    ids=["sessions", "pages", "none"],
)
async def test_servers_that_need_more_are_looked_up_as_a_whole(server: Scripted) -> None:
    if not server.pages:
        server.capabilities = {}
    async with serving(server.app) as outsider:
        assert (await look_up(OUT, outsider.url)).digest is None


async def digest_of_page() -> str:
    async with serving(Scripted({None: PAGE}).app) as outsider:
        digest = (await look_up(OUT, outsider.url)).digest
    assert digest is not None
    return digest


def answer(**changed: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": PAGE} | changed


@pytest.mark.parametrize(
    ("app", "is_same"),
    [
        (answering(answer()), True),
        (answering(answer(id=2)), False),
        (answering(answer(result={**PAGE, "nextCursor": "2"})), False),
        (answering(answer(result={"tools": "none"})), False),
        (answering([answer()]), False),
        (answering(answer(), 500), False),
        (answering(b"<html>"), False),
        (answering(b""), False),
    ],
    ids=["same", "id", "cursor", "text", "batch", "status", "html", "empty"],
)
async def test_what_is_unusual_is_not_the_same(app: ASGIApp, is_same: bool) -> None:
    digest = await digest_of_page()
    async with serving(app) as outsider:
        assert await lists_the_same(OUT, outsider.url, VERSION, digest, None) == is_same


async def test_who_hangs_or_is_away_does_not_list_the_same() -> None:
    out = Outbound(0.2, allow_private=True)
    async with listening(hang) as port:
        assert not await lists_the_same(out, f"http://127.0.0.1:{port}/", VERSION, "", None)
    assert not await lists_the_same(out, "http://127.0.0.1:9/", VERSION, "", None)


async def test_a_session_that_is_begun_all_the_same_is_ended() -> None:
    digest, server = await digest_of_page(), Scripted({None: PAGE}, has_sessions=True)
    async with serving(server.app) as outsider:
        await lists_the_same(OUT, outsider.url, VERSION, digest, None)
    assert (server.asked, server.sessions) == (["tools/list", "DELETE"], set())


async def test_it_sends_what_the_server_is_sent() -> None:
    digest, seen = await digest_of_page(), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(dict(scope["headers"]))
        await answering(answer())(scope, receive, send)

    async with serving(app) as outsider:
        credentials = Credentials(outsider.url, {"X-Key": "secret"})
        assert await lists_the_same(OUT, outsider.url, VERSION, digest, credentials)
    [headers] = seen
    assert (headers[b"x-key"], headers[b"mcp-protocol-version"]) == (b"secret", VERSION.encode())
