"""MCP servers through the real gateway, looked up at the SDK's own server."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.mcp.tools import MOST_TOOLS
from tests.gateway.mcp.scripted import GOOD, Scripted, tool
from tests.gateway.outsiders import Outsider, answering, make_mcp, running, serving
from tests.gateway.shapes import assert_shape, good, refused, told
from tests.users import User

SERVER = {
    "id",
    "name",
    "description",
    "server_url",
    "is_active",
    "created_at",
    "updated_at",
    "creator_id",
    "mcp_tools",
    "server_info",
}
TOOL = {
    "id",
    "name",
    "description",
    "inputSchema",
    "annotations",
    "alias",
    "mcp_server_id",
    "created_at",
    "updated_at",
}
LOOKED_UP = {"id", "server_url", "mcp_tools", "is_active", "created_at", "updated_at"} | {
    "server_info"
}
PATH = "/api/mcp/servers"


@pytest.fixture
async def outsider() -> AsyncIterator[Outsider]:
    async with running(make_mcp("echo", "add numbers")) as [app], serving(app) as server:
        yield server


async def add(user: User, outsider: Outsider) -> dict[str, Any]:
    answer = await user.http.post(PATH, json={"server_url": f"{outsider.url}/mcp"})
    added: dict[str, Any] = good(answer)
    return added


async def test_a_server_is_looked_up_at_once(user: User, outsider: Outsider) -> None:
    added = await add(user, outsider)
    assert_shape(added, LOOKED_UP)
    [first, second] = added["mcp_tools"]
    assert re.fullmatch(r"echo_[a-z]{6}", first["title"])
    assert re.fullmatch(r"add numbers_[a-z]{6}", second["title"])
    assert first["properties"].keys() == {"text"}


async def test_a_server_is_read_as_it_is_listed(user: User, outsider: Outsider) -> None:
    added = await add(user, outsider)
    [listed] = good(await user.http.get(PATH))
    assert listed == good(await user.http.get(f"{PATH}/{added['id']}"))
    assert_shape(listed, SERVER)
    assert_shape(listed["mcp_tools"][0], TOOL)


async def test_a_url_is_stored_once_and_aliases_stay(user: User, outsider: Outsider) -> None:
    assert await add(user, outsider) == await add(user, outsider)


async def test_tools_follow_when_a_url_is_given_again(user: User, outsider: Outsider) -> None:
    before = {t["name"]: t for t in good_tools(await add(user, outsider))}
    async with running(make_mcp("echo", "new", description="Changed")) as [app]:
        outsider.app = app
        after = {t["name"]: t for t in good_tools(await add(user, outsider))}
    assert after.keys() == {"echo", "new"}
    assert after["echo"]["title"] == before["echo"]["title"]
    assert after["echo"]["description"] == "Changed"


def good_tools(added: dict[str, Any]) -> list[dict[str, str]]:
    tools: list[dict[str, str]] = added["mcp_tools"]
    return [{**tool, "name": tool["title"][:-7]} for tool in tools]


async def test_each_tool_is_an_active_connection(user: User, outsider: Outsider) -> None:
    added = await add(user, outsider)
    for query in ({"agent_type": "mcp"}, {"agent_type": "all"}):
        answer = good(await user.http.get("/api/agents/active", params={**query, "limit": 1}))
        assert answer["count_active_connections"] == 1
        [connection] = answer["active_connections"]
        assert (connection["type"], connection["url"]) == ("mcp", added["server_url"])
        assert connection["agent_schema"]["title"] == connection["name"]
        assert "flow" not in connection


async def test_a_tool_that_providers_refuse_has_a_second_name_and_a_reason(
    user: User, outsider: Outsider
) -> None:
    server = (await add(user, outsider))["id"]
    echo, add_numbers = good(await user.http.get(f"{PATH}/{server}"))["mcp_tools"]
    assert not echo.keys() & {"function_name", "newer_only"}
    assert_shape(add_numbers, TOOL | {"function_name", "newer_only"})
    assert re.fullmatch(r"add_numbers_[0-9a-f]{8}_[a-z]{6}", add_numbers["function_name"])
    assert add_numbers["newer_only"].startswith("Model providers take no such name")
    active = good(await user.http.get("/api/agents/active"))["active_connections"]
    told = {one["name"]: one for one in active}
    assert not told[echo["alias"]].keys() & {"function_name", "newer_only"}
    for key in ("function_name", "newer_only"):
        assert told[add_numbers["alias"]][key] == add_numbers[key]


async def test_a_deleted_server_takes_its_tools_with_it(user: User, outsider: Outsider) -> None:
    id_ = (await add(user, outsider))["id"]
    assert (await user.http.delete(f"{PATH}/{id_}")).status_code == 204
    assert str(id_) in refused(await user.http.delete(f"{PATH}/{id_}"))
    assert good(await user.http.get("/api/agents/active"))["count_active_connections"] == 0


@pytest.mark.parametrize(
    "url", ["abc", "", "ftp://host/x", "http://u:p@host/", "http://127.0.0.1:9/mcp", "http://\x7f"]
)
async def test_a_url_that_leads_nowhere_is_one_sentence(reader: User, url: str) -> None:
    refused(await reader.http.post(PATH, json={"server_url": url}))


@pytest.mark.parametrize("url", [None, 5, []])
async def test_a_url_that_is_no_text_is_one_sentence(reader: User, url: object) -> None:
    told(await reader.http.post(PATH, json={"server_url": url}), "server_url")


@pytest.mark.parametrize("content", [b"<html>", [1], {}, b"x" * 2_000_000, b"\xff"], ids=len)
@pytest.mark.parametrize("status", [200, 404, 500])
async def test_a_server_of_another_kind_is_unreachable(
    reader: User, content: object, status: int
) -> None:
    async with serving(answering(content, status)) as outsider:
        answer = await reader.http.post(PATH, json={"server_url": f"{outsider.url}/mcp"})
    sentence = refused(answer)
    assert sentence.startswith(f"Could not access MCP server on: {outsider.url}/mcp. It ")
    assert str(status) in sentence or status == 200 or "bytes" in sentence


async def test_no_more_than_a_thousand_tools_are_taken(user: User) -> None:
    names = [f"t{number}" for number in range(1005)]
    async with running(make_mcp(*names)) as [app], serving(app) as outsider:
        assert len(good_tools(await add(user, outsider))) == 1000


ODD = {"name": "odd", "inputSchema": {"anyOf": [{"properties": {"a": {"type": "integer"}}}]}}
BAD = {"name": "bad\x00", "inputSchema": {}}


async def test_what_is_left_out_is_named_and_what_is_odd_is_flattened(user: User) -> None:
    pages: dict[str | None, Any] = {None: {"tools": [GOOD, BAD, ODD]}}
    info = {"name": "n", "title": "T"}
    async with serving(Scripted(pages, info=info).app) as outsider:
        added = await add(user, outsider)
        [listed] = good(await user.http.get(PATH))
        connections = good(await user.http.get("/api/agents/active"))["active_connections"]
    reason = "it has characters in names or values that can't be stored"
    for answer in (added, listed, good(await user.http.get(f"{PATH}/{added['id']}"))):
        assert answer["left_out"] == {
            "count": 1,
            "tools": [{"name": "bad\ufffd", "reason": reason}],
        }
        assert answer["server_info"] == {**info, "protocolVersion": "2025-06-18"}
    stored = [one["inputSchema"] for one in listed["mcp_tools"]]
    assert stored == [GOOD["inputSchema"], ODD["inputSchema"]]
    for schema in (added["mcp_tools"][1], connections[0]["agent_schema"]):
        if schema["title"].startswith("odd"):
            assert schema["properties"] == {"a": {"type": "integer"}}
            assert "anyOf" not in schema


@pytest.mark.parametrize(
    "after",
    [
        {None: {"tools": [{**GOOD, "inputSchema": False}]}},
        {None: {"tools": [tool("new")], "nextCursor": "gone"}},
    ],
)
async def test_what_worked_before_stays_when_a_fault_is_found(user: User, after: Any) -> None:
    async with serving(Scripted({None: {"tools": [GOOD]}}).app) as outsider:
        await add(user, outsider)
        outsider.app = Scripted(after).app
        await add(user, outsider)
        [listed] = good(await user.http.get(PATH))
    assert listed["mcp_tools"][0]["name"] == "good"
    assert listed["mcp_tools"][0]["inputSchema"] == GOOD["inputSchema"]


async def test_what_stays_does_not_pile_up(user: User) -> None:
    def listing_half(prefix: str) -> Scripted:
        tools = [tool(f"{prefix}{number}") for number in range(MOST_TOOLS // 2 + 1)]
        return Scripted({None: {"tools": tools, "nextCursor": "gone"}})

    async with serving(listing_half("a").app) as outsider:
        await add(user, outsider)
        for prefix in "bc":
            outsider.app = listing_half(prefix).app
            await add(user, outsider)
        [listed] = good(await user.http.get(PATH))
    assert len(listed["mcp_tools"]) == MOST_TOOLS
