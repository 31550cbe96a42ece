"""What is taken of MCP servers that are not quite as they should be."""

import json

import pytest

from gateway.mcp.lookup import look_up
from gateway.mcp.tools import FoundTool
from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import Outbound
from tests.gateway.outsiders import answering, listing, serving

OUT = Outbound(10.0, allow_private=True)
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}
GOOD = {"name": "good", "inputSchema": SCHEMA}
NO_MCP = "it does not answer as an MCP server does"


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ({"inputSchema": SCHEMA}, "None (name: Field required)"),
        ({**GOOD, "name": ""}, " (name: "),
        ({**GOOD, "name": 5}, "5 (name: Input should be a valid string)"),
        ({**GOOD, "name": "x\x00" * 1000}, "x (it has characters in names or values that can't"),
        ({**GOOD, "name": "bad", "inputSchema": {"properties": {"\x00": {}}}}, "bad (it has char"),
        ({**GOOD, "name": "bad", "inputSchema": False}, "bad (its input schema is none that"),
        ({**GOOD, "name": "bad", "description": "d" * 70_000}, "are larger than 64 KB"),
        ({**GOOD, "name": "bad", "description": ["d"]}, "bad (description: "),
        ({**GOOD, "name": "bad", "inputSchema": {"type": "string"}}, "is not of an object"),
        ({**GOOD, "name": "bad", "inputSchema": {"properties": []}}, "has no valid properties"),
        (None, "None ("),
        (["bad"], "['bad'] ("),
    ],
)
async def test_a_bad_tool_leaves_the_others(
    bad: object, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "gateway")
    async with serving(listing(bad, GOOD, bad)) as outsider:
        found = await look_up(OUT, f"{outsider.url}/mcp?key=s3cret")
    assert found.tools == [FoundTool("good", SCHEMA)]
    [line] = [r.getMessage() for r in caplog.records if r.name.startswith("gateway.")]
    assert line.startswith(f"MCP server {outsider.url}/mcp: 2 of its tools are left out")
    assert fault in line.replace("\x00", "")
    assert len(line) < 400
    assert "s3cret" not in line


async def test_good_tools_are_taken_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "gateway")
    async with serving(listing({**GOOD, "title": "T", "outputSchema": 5, "new": 1})) as outsider:
        found = await look_up(OUT, outsider.url)
    assert (found.tools, found.left_out) == ([FoundTool("good", SCHEMA)], [])
    assert not [record for record in caplog.records if record.name.startswith("gateway.")]


async def failure(content: object, status: int = 200) -> str:
    async with serving(answering(content, status)) as outsider:
        with pytest.raises(UnreachableError) as caught:
            await look_up(OUT, outsider.url)
    return caught.value.sentence


@pytest.mark.parametrize("content", [b"<html>", b"", [1], {}, {"jsonrpc": "2.0"}, b"\xff", 5])
async def test_what_is_no_mcp_is_told(content: object) -> None:
    assert "It does not answer as an MCP server does, make sure" in await failure(content)


async def test_what_a_server_says_itself_is_told_to_who_asked() -> None:
    async with serving(listing(refusal="Bad  API key:\n" + "x" * 1000)) as outsider:
        with pytest.raises(UnreachableError, match="it does not list its tools") as caught:
            await look_up(OUT, outsider.url)
    assert caught.value.sentence.startswith("It does not list its tools: Bad API key: xxx")
    assert len(caught.value.sentence) < 300


@pytest.mark.parametrize("content", [b"", {"error": "invalid_token"}, json.dumps({}).encode()])
async def test_a_server_that_wants_a_login_is_told(content: object) -> None:
    told = "It answers 401 Unauthorized: it wants to know who asks, give it a `bearer_token`"
    assert (await failure(content, 401)).startswith(told)
