"""Flows that the master agent is given with a request."""

from contextlib import AsyncExitStack

from tests.agent_bridge.actors import SCHEMA, connected_agent, until_active, until_inactive
from tests.master import Master
from tests.system import System
from tests.users import Json, User


async def _create_flow(user: User, *agents: Json) -> Json:
    members = [{"id": agent["id"], "type": "genai"} for agent in agents]
    new = {"name": "Both", "description": "does both", "flow": members}
    created = await user.http.post("/api/agentflows/register", json=new)
    assert created.status_code == 200, created.text
    flow: Json = created.json()
    return flow


async def _given(user: User, master: Master) -> list[Json]:
    async with user.chat() as chat:
        await chat.ask("hello")
    given: list[Json] = master.invocations[-1].payload["agents"]
    return given


async def test_an_active_flow_is_given_with_its_members(
    system: System, user: User, other_user: User, master: Master
) -> None:
    first, second = [await user.register_agent(name, "d") for name in ("first", "second")]
    async with AsyncExitStack() as stack:
        for agent in (first, second):
            connection = await stack.enter_async_context(connected_agent(system, agent["jwt"]))
            await connection.register()
            await until_active(user, agent["id"])
        flow = await _create_flow(user, second, first, second)
        [given, *agents] = await _given(user, master)
        assert await _given(other_user, master) == []
    named = {"name": flow["alias"], "description": "does both"}
    assert given == {
        "agent_id": flow["id"],
        "agent_name": flow["alias"],
        "agent_description": "does both",
        "agent_schema": {**SCHEMA, "function": {"parameters": {"type": "object"}, **named}},
        "flow": [second["id"], first["id"], second["id"]],
    }
    assert {agent["agent_id"] for agent in agents} == {first["id"], second["id"]}
    assert not any("flow" in agent for agent in agents)


async def test_a_flow_is_not_given_while_a_member_is_gone(
    system: System, user: User, master: Master
) -> None:
    stays, leaves = [await user.register_agent(name, "d") for name in ("stays", "leaves")]
    async with connected_agent(system, stays["jwt"]) as connection:
        await connection.register()
        await until_active(user, stays["id"])
        async with connected_agent(system, leaves["jwt"]) as leaving:
            await leaving.register()
            await until_active(user, leaves["id"])
            await _create_flow(user, stays, leaves)
        await until_inactive(user, leaves["id"])
        assert [agent["agent_id"] for agent in await _given(user, master)] == [stays["id"]]
