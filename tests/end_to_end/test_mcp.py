"""Agents, flows and files of a user, as programs find them that speak MCP; each revision's."""

import pytest

from tests.asked import agent_that, create_flow, saying
from tests.mcpserver import mcp_client
from tests.system import System
from tests.users import Json, User

ERAS = ["legacy", "auto"]

WEATHER: Json = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Where"},
        "days": {"type": "integer", "minimum": 1},
    },
    "required": ["city", "days"],
    "$defs": {"unused": {"type": "null"}},
}


@pytest.fixture(params=ERAS)
def mode(request: pytest.FixtureRequest) -> str:
    era: str = request.param
    return era


async def test_active_agents_and_flows_are_tools_beside_ask(
    system: System, user: User, mode: str
) -> None:
    react = saying(lambda text: f"sealed: {text}")
    async with agent_that(system, user, react) as (_, agent), mcp_client(user, mode) as client:
        alias = (await user.read_agent(agent["id"]))["agent_alias"]
        await create_flow(user, agent["id"], agent["id"])
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        [flow] = tools.keys() - {"ask", alias}
        assert tools[alias].description == "comes and goes"
        assert tools[alias].input_schema["required"] == ["text"]
        assert tools[flow].description == "all of them"
        for name, said in ((alias, "sealed: hello"), (flow, "sealed: sealed: hello")):
            result = await client.call_tool(name, {"text": "hello"})
            assert not result.is_error
            assert [content.model_dump()["text"] for content in result.content] == [said]
            assert result.meta
            trace = result.meta["genai/agents_trace"]
            assert {step["id"] for step in trace} == {agent["id"]}
