"""How the local master agent calls tools of MCP servers and A2A agents: the samples, and others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from attrs import evolve
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from devstack.called_a2a import call_a2a
from devstack.called_tools import call_tool
from devstack.choosing import Candidate, arguments_for, candidate_from
from devstack.sample_a2a_agent import greeting_for, make_agent
from devstack.sample_tools import twelve_hours
from tests.gateway.outsiders import answering, make_mcp, running, serving

KEY = {"X-API-Key": "k"}


class Locked:
    """Lets those in who have the key."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_in = scope["type"] != "http" or Request(scope).headers.get("X-API-Key") == "k"
        await (self._app if is_in else JSONResponse({}, 401))(scope, receive, send)


@pytest.fixture
async def tool() -> AsyncIterator[Candidate]:
    """A tool with a name that no function can have, as the gateway describes it."""
    async with running(make_mcp("say it")) as [app], serving(Locked(app)) as outsider:
        yield candidate_from(
            {
                "id": "1",
                "name": "say it_abcdef",
                "type": "mcp",
                "function_name": "say_it_01234567_abcdef",
                "url": f"{outsider.url}/mcp",
                "headers": KEY,
                "agent_schema": {"title": "say it_abcdef", "description": "Says it"},
            }
        )


async def test_a_tool_is_called_by_the_name_that_its_server_knows(tool: Candidate) -> None:
    assert tool.name == "say_it_01234567_abcdef"
    assert await call_tool(tool, {"text": "hello"}) == (True, "hello")


async def test_a_tool_that_refuses_says_why(tool: Candidate) -> None:
    is_success, why = await call_tool(tool, {})
    assert not is_success
    assert "Field required" in why


@pytest.mark.parametrize(
    "change", [{"headers": {}}, {"url": "http://127.0.0.1:9/mcp"}, {"tool_name": "other"}]
)
async def test_a_tool_that_can_t_be_called_is_told(tool: Candidate, change: dict[str, Any]) -> None:
    is_success, why = await call_tool(evolve(tool, **change), {"text": "hello"})
    assert not is_success
    assert why.startswith(("the MCP server does not answer: ", "Unknown tool: other"))


def interface(url: str, version: str, binding: str = "JSONRPC") -> dict[str, str]:
    return {"url": url, "protocolBinding": binding, "protocolVersion": version}


@asynccontextmanager
async def greeting() -> AsyncIterator[str]:
    """Where the sample agent is called, by those who have the key."""
    async with serving(answering({})) as outsider:
        url = f"{outsider.url}/greeter/"
        mount = Mount("/greeter", make_agent(url), middleware=[Middleware(Locked)])
        outsider.app = Starlette(routes=[mount])
        yield url


def agent_at(
    *interfaces: dict[str, str], headers: dict[str, str] = KEY, url: str = ""
) -> Candidate:
    url = url or (interfaces[-1]["url"] if interfaces else "")
    told = {"id": "1", "name": "A_abcdef", "type": "a2a", "url": url}
    return candidate_from({**told, "interfaces": interfaces, "headers": headers})


async def test_what_is_sent_to_an_agent_is_not_sent_where_its_card_leads_otherwise() -> None:
    async with greeting() as url:
        agent = agent_at(interface(url, "1.0"), url="http://127.0.0.1:9/")
        is_success, why = await call_a2a(agent, {"task": "a"})
    assert not is_success
    assert "401" in why


@pytest.mark.parametrize("version", ["1.0", "0.3.0", "0.2.5"])
async def test_an_a2a_agent_is_called_by_any_version_of_the_protocol(version: str) -> None:
    async with greeting() as url:
        agent = agent_at(interface("http://127.0.0.1:9", "1.0", "GRPC"), interface(url, version))
        assert await call_a2a(agent, {"task": "a", "text": "b"}) == (True, "Hello! a\n\nb")


async def test_an_a2a_agent_is_called_at_its_url_while_nothing_else_is_known() -> None:
    async with greeting() as url:
        agent = evolve(agent_at(), url=url)
        assert await call_a2a(agent, {"task": "a", "text": "a"}) == (True, "Hello! a")


async def test_an_a2a_agent_that_can_t_be_called_is_told() -> None:
    async with greeting() as url:
        for agent in (
            agent_at(interface(url, "1.0"), headers={}),
            agent_at(interface("http://127.0.0.1:9/", "1.0")),
            agent_at(interface(url, "1.0", "GRPC")),
            agent_at(interface(f"{url}nothing", "0.3")),
        ):
            is_success, why = await call_a2a(agent, {"task": "a"})
            assert not is_success
            assert why.startswith("the A2A agent does not answer: ")


def test_a_text_goes_on_as_a_whole() -> None:
    schema = {"properties": {"task": {"type": "string"}}, "required": ["task"]}
    told = "In Kyiv it is 14:05"
    for kind, task in (("a2a", told), ("mcp", told), ("genai", "Kyiv")):
        callee = Candidate("1", "name", "", schema, kind=kind)
        assert arguments_for(callee, told) == {"task": task}


@pytest.mark.parametrize(
    ("text", "hours", "greeting"),
    [
        ("it is 00:05", "it is 12:05 a.m.", "Good morning!"),
        ("it is 9:30", "it is 9:30 a.m.", "Good morning!"),
        ("it is 12:00", "it is 12:00 p.m.", "Good afternoon!"),
        ("it is 18:59", "it is 6:59 p.m.", "Good evening!"),
        ("it is 25:00", "it is 25:00", "Hello!"),
    ],
)
def test_the_samples_know_the_time_of_the_day(text: str, hours: str, greeting: str) -> None:
    assert twelve_hours(text) == hours
    assert greeting_for(hours) == greeting
