"""Agents, flows and files of a user, as programs find them that speak MCP; of each era."""

import asyncio
from contextlib import suppress
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError
from mcp_types import INVALID_PARAMS

from gateway.mcpserver.listening import CHANGED
from gateway.streams.changes import ASK_SECONDS
from tests.asked import agent_that, answering, create_flow, failing, saying
from tests.end_to_end.socket.front_end import insert_file
from tests.master import Invocation, Master, answer
from tests.mcp_suite import NOTHING, do_all, working
from tests.mcpserver import MODERN, SESSIONS, mcp_client
from tests.parts import Dictation
from tests.sql import Sql
from tests.system import System
from tests.users import FRAME_SECONDS, Json, User, eventually

WEATHER: Json = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Where"},
        "days": {"type": "integer", "minimum": 1},
    },
    "required": ["city", "days"],
    "$defs": {"unused": {"type": "null"}},
}
ERAS = {"legacy": SESSIONS, "auto": MODERN}


@pytest.fixture(params=ERAS)
def mode(request: pytest.FixtureRequest) -> str:
    era: str = request.param
    return era


def texts(result: Any) -> list[str]:
    """The texts of a result that are nothing but texts."""
    assert {content.type for content in result.content} == {"text"}
    return [content.text for content in result.content]


async def test_active_agents_and_flows_are_tools_beside_ask(
    system: System, user: User, mode: str
) -> None:
    react = saying(lambda text: f"sealed: {text}")
    async with agent_that(system, user, react) as (_, agent), mcp_client(user, mode) as client:
        assert client.protocol_version == ERAS[mode]
        alias = (await user.read_agent(agent["id"]))["agent_alias"]
        await create_flow(user, agent["id"], agent["id"])
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        [flow] = tools.keys() - {"ask", alias}
        assert tools[alias].description == "comes and goes"
        assert tools[alias].input_schema["required"] == ["text"]
        assert tools[flow].description == "all of them"
        for name, said in ((alias, "sealed: hello"), (flow, "sealed: sealed: hello")):
            result = await client.call_tool(name, {"text": "hello"})
            assert (result.is_error, texts(result)) == (False, [said])
            assert result.meta
            trace = result.meta["genai/agents_trace"]
            assert {step["id"] for step in trace} == {agent["id"]}


async def test_an_agent_is_given_what_its_own_schema_wants(
    system: System, user: User, mode: str
) -> None:
    given: Json = {"city": "Kyiv", "days": 2, "more": [None, {"x": 1.5}]}
    forecast = {"sunny": True, "degrees": [21, 22]}
    async with (
        agent_that(system, user, answering(forecast), WEATHER) as (visitor, _),
        mcp_client(user, mode) as client,
    ):
        [tool] = [each for each in (await client.list_tools()).tools if each.name != "ask"]
        assert tool.input_schema == WEATHER
        result = await client.call_tool(tool.name, given)
        assert visitor.invocations[-1]["request_payload"] == given
        assert result.structured_content == forecast
        for arguments, fault in (
            ({"city": "Kyiv"}, "'days' is missing"),
            ({"city": "Kyiv", "days": "two"}, "'days' must be of the type integer"),
        ):
            result = await client.call_tool(tool.name, arguments)
            assert (result.is_error, texts(result)) == (True, [fault])
        assert len(visitor.invocations) == 1


async def test_ask_asks_the_master_agent_and_goes_on_in_its_chat(
    user: User, master: Master, mode: str
) -> None:
    async with mcp_client(user, mode) as client:
        first = await client.call_tool("ask", {"message": "one", "config": "config"})
        assert texts(first) == ["echo: one"]
        told = first.structured_content
        assert told
        assert told["answer"] == "echo: one"
        again = {"message": "two", "session_id": told["session_id"]}
        second = await client.call_tool("ask", again)
        assert second.structured_content == {**told, "answer": "echo: two"}
        history = await user.history(told["session_id"])
        assert [item["content"] for item in history if item["sender_type"] == "user"] == [
            "one",
            "two",
        ]
        asked = [each.payload for each in master.invocations]  # perhaps in the older form first
        assert [each["message"] for each in asked if "message" in each] == ["one", "two"]
        for arguments, fault in (
            ({}, "'message' is missing"),
            ({"message": "x", "model": "gpt"}, "There is no 'model' to be given"),
            ({"message": "x", "config": "none"}, "There is no model config that is called 'none'"),
            ({"message": "x", "file_ids": ["a"]}, "'file_ids.0' must be a valid UUID"),
        ):
            result = await client.call_tool("ask", arguments)
            assert result.is_error
            assert texts(result)[0].startswith(fault)


async def test_log_entries_and_parts_are_progress(user: User, master: Master, mode: str) -> None:
    async def think_and_say(invocation: Invocation) -> Json:
        await invocation.log("I look at the clock")
        for part in ("It is ", "twelve."):
            await invocation.log(part, "delta")
        return answer("It is twelve.")

    told: list[tuple[float, float | None, str]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message or ""))

    master.behave = think_and_say
    async with mcp_client(user, mode) as client:
        result = await client.call_tool("ask", {"message": "time?"}, progress_callback=note)
        assert texts(result) == ["It is twelve."]
        assert [each[:2] for each in told] == [(at, None) for at in range(1, len(told) + 1)]
        messages = [each[2] for each in told]
        messages.remove("I look at the clock")
        assert "It is twelve.".startswith("".join(messages))
        told.clear()
        await client.call_tool("ask", {"message": "time?"})
        assert not told


async def test_what_fails_is_a_result_and_a_tool_that_is_not_there_is_an_error(
    system: System, user: User, mode: str
) -> None:
    async with (
        agent_that(system, user, failing("out of ink")) as (_, agent),
        mcp_client(user, mode) as client,
    ):
        alias = (await user.read_agent(agent["id"]))["agent_alias"]
        result = await client.call_tool(alias, {"text": "hello"})
        assert result.is_error
        assert texts(result) == [f"The agent {alias} failed: out of ink"]
        assert result.structured_content is None
        for name in ("nobody", "config", f"x_{'0' * 32}"):
            with pytest.raises(MCPError) as raised:
                await client.call_tool(name, {})
            assert (raised.value.code, raised.value.message) == (
                INVALID_PARAMS,
                f"Unknown tool: {name}",
            )


async def test_a_call_that_its_client_gives_up_is_cancelled(
    user: User, master: Master, sql: Sql, mode: str
) -> None:
    dictation = Dictation()
    master.behave = dictation.behave
    async with mcp_client(user, mode) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "ask", {"message": "wait"})
            invocation = await dictation.invocations.get()
            group.cancel_scope.cancel()

        async def is_cancelled() -> bool:
            [row] = sql("SELECT status FROM requests WHERE id = %s", invocation.request_id)
            return bool(row["status"] == "cancelled")

        await eventually(is_cancelled, "the request is cancelled", FRAME_SECONDS)
        master.behave = echo_once
        assert texts(await client.call_tool("ask", {"message": "still there?"})) == ["here"]


async def echo_once(_: Invocation) -> Json:
    return answer("here")


async def test_files_are_resources_and_those_of_an_answer_stand_in_it(
    system: System, user: User, mode: str
) -> None:
    kept = insert_file(system, user)
    async with (
        working(system, user, f"painter_{user.id[:8]}_{mode}", do_all, NOTHING) as painter,
        mcp_client(user, mode) as client,
    ):
        alias = (await user.read_agent(painter.id))["agent_alias"]
        result = await client.call_tool(alias, {})
        assert [content.type for content in result.content] == ["text", "resource", "image"]
        listed = (await client.list_resources()).resources
        assert {each.name for each in listed} >= {"dot.png", "data.json"}
        [png] = [each for each in listed if each.name == "dot.png"]
        [image] = [content for content in result.content if content.type == "image"]
        [read] = (await client.read_resource(png.uri)).contents
        assert read.model_dump()["blob"] == image.data
        assert png.size == len(await download(user, png.uri))
        assert f"genai://files/{kept}" in {each.uri for each in listed}
        [template] = (await client.list_resource_templates()).resource_templates
        assert template.uri_template == "genai://files/{file_id}"


async def download(user: User, uri: str) -> bytes:
    return (await user.http.get(f"/files/{uri.rpartition('/')[2]}")).content


async def test_who_listens_is_told_when_tools_come_and_go(system: System, user: User) -> None:
    async with mcp_client(user) as client, client.listen(tools_list_changed=True) as changes:
        assert changes.honored.tools_list_changed
        async with agent_that(system, user) as (_, agent), asyncio.timeout(FRAME_SECONDS):
            await anext(aiter(changes))
            alias = (await user.read_agent(agent["id"]))["agent_alias"]
            assert alias in await names_of(client)
        async with asyncio.timeout(FRAME_SECONDS):
            await anext(aiter(changes))
        assert alias not in await names_of(client)


async def test_so_is_a_client_with_a_session(system: System, user: User) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()

    async def note(message: Any) -> None:
        told.put_nowait(message.method)

    async with mcp_client(user, "legacy", message_handler=note) as client:
        assert client.server_capabilities.tools
        assert client.server_capabilities.tools.list_changed
        async with agent_that(system, user) as (_, agent):
            while True:  # whenever it is that the client has begun to listen
                await create_flow(user, agent["id"], agent["id"])
                with suppress(TimeoutError):
                    assert await asyncio.wait_for(told.get(), 2 * ASK_SECONDS) == CHANGED
                    break


async def names_of(client: Client) -> set[str]:
    return {tool.name for tool in (await client.list_tools()).tools}
