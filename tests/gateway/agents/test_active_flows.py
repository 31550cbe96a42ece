"""Flows among what the master agent may call, through the real gateway."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.gateway.members import (
    FUNCTION,
    TOOL_SCHEMA,
    create_flow,
    deactivate,
    insert_agent,
    insert_card,
    insert_tool,
)
from tests.gateway.shapes import ACTIVE_AGENT, assert_shape, good
from tests.sql import Sql
from tests.system import SERVICE_KEY
from tests.users import Json, User


async def active(user: User, **query: str | int) -> Json:
    answer: Json = good(await user.http.get("/api/agents/active", params=query))
    return answer


EMPTY = {"type": "object", "properties": {}}


async def test_an_active_flow_is_called_by_its_alias(user: User, sql: Sql) -> None:
    members = [insert_agent(sql, user.id), insert_agent(sql, user.id)]
    flow = await create_flow(user, *members)
    shown = (await active(user))["active_connections"][0]
    assert_shape(shown, ACTIVE_AGENT | {"flow"})
    named = {"name": flow["alias"], "description": flow["description"]}
    assert shown == {
        "id": flow["id"],
        "name": flow["alias"],
        "type": "flow",
        "agent_schema": {**FUNCTION, "function": {"parameters": {"type": "object"}, **named}},
        "flow": [member["id"] for member in members],
        "created_at": flow["created_at"],
        "updated_at": flow["updated_at"],
        "is_active": True,
    }


@pytest.mark.parametrize(
    ("insert", "expected"),
    [
        (insert_tool, TOOL_SCHEMA),
        (
            lambda sql, owner: insert_tool(sql, owner, {}),
            {"type": "object", "properties": {}, "required": []},
        ),
        (
            insert_card,
            {
                "type": "object",
                "required": ["task", "text"],
                "properties": {
                    "task": {
                        "type": "string",
                        "description": "A meaningful, well-formulated task for the agent",
                    },
                    "text": {"type": "string"},
                },
            },
        ),
    ],
    ids=["mcp", "mcp without parameters", "a2a"],
)
async def test_a_flow_has_the_schema_of_its_first_member(
    user: User, sql: Sql, insert: Callable[[Sql, str], Json], expected: dict[str, Any]
) -> None:
    flow = await create_flow(user, insert(sql, user.id), insert_agent(sql, user.id))
    [shown, _] = (await active(user, agent_type="genai"))["active_connections"]
    named = {"title": flow["alias"], "description": flow["description"]}
    assert shown["agent_schema"] == {**expected, **named}


async def test_a_flow_whose_first_member_has_said_nothing_can_be_called(
    user: User, sql: Sql
) -> None:
    silent = insert_agent(sql, user.id)
    sql("UPDATE agents SET input_parameters = '{}' WHERE id = %s", silent["id"])
    flow = await create_flow(user, silent, insert_agent(sql, user.id))
    [shown, *_] = (await active(user, agent_type="genai"))["active_connections"]
    named = {"name": flow["alias"], "description": "Does both"}
    assert shown["agent_schema"] == {
        "type": "function",
        "function": {**named, "parameters": EMPTY},
    }


async def test_a_flow_of_one_agent_twice_is_listed(user: User, sql: Sql) -> None:
    member = insert_agent(sql, user.id)
    await create_flow(user, member, member)
    shown = (await active(user))["active_connections"][0]
    assert shown["flow"] == [member["id"]] * 2


@pytest.mark.parametrize("agent_type", ["genai", "all"])
async def test_flows_come_first_whatever_the_page(user: User, sql: Sql, agent_type: str) -> None:
    members = [insert_agent(sql, user.id) for _ in range(3)]
    for name in ("old", "new"):
        await create_flow(user, *members, name=name)
    answer = await active(user, agent_type=agent_type, limit=1, offset=1)
    shown = [(one["type"], one["id"]) for one in answer["active_connections"]]
    assert [type_ for type_, _ in shown] == ["flow", "flow", "genai"]
    assert shown[2][1] == members[1]["id"]
    names = [one["name"][:-7] for one in answer["active_connections"][:2]]
    assert names == ["old", "new"]
    assert answer["count_active_connections"] == 3


@pytest.mark.parametrize("agent_type", ["mcp", "a2a"])
async def test_a_flow_is_of_no_other_type(user: User, sql: Sql, agent_type: str) -> None:
    await create_flow(user, insert_agent(sql, user.id), insert_agent(sql, user.id))
    shown = (await active(user, agent_type=agent_type))["active_connections"]
    assert [one for one in shown if one["type"] == "flow"] == []


async def test_a_flow_with_a_member_that_is_gone_may_not_be_called(user: User, sql: Sql) -> None:
    members = [insert_agent(sql, user.id), insert_card(sql, user.id)]
    await create_flow(user, *members)
    deactivate(sql, members[1])
    assert [one["type"] for one in (await active(user))["active_connections"]] == ["genai"]


async def test_agents_and_the_service_see_the_flows_too(user: User, sql: Sql) -> None:
    await create_flow(user, *[insert_agent(sql, user.id)] * 2)
    expected = await active(user)
    agent = await user.register_agent()
    headers = {"Authorization": f"Bearer {agent['jwt']}"}
    assert good(await user.http.get("/api/agents/active", headers=headers)) == expected
    url = user.http.base_url.join("/api/agents/active")
    request = user.http.build_request("GET", url, params={"user_id": user.id})
    del request.headers["Authorization"]
    request.headers["x-api-key"] = SERVICE_KEY
    assert good(await user.http.send(request)) == expected


async def test_a_flow_without_members_is_inactive(user: User, sql: Sql) -> None:
    flow = await create_flow(user, insert_agent(sql, user.id), insert_agent(sql, user.id))
    sql("UPDATE agentworkflows SET flow = '[]' WHERE id = %s", flow["id"])
    [shown] = good(await user.http.get("/api/agentflows"))
    assert (shown["flow"], shown["is_active"]) == ([], False)
    assert flow["id"] not in {one["id"] for one in (await active(user))["active_connections"]}


async def test_many_flows_have_the_schemas_of_their_own_first_members(user: User, sql: Sql) -> None:
    agent, tool = insert_agent(sql, user.id), insert_tool(sql, user.id)
    inactive = insert_agent(sql, user.id)
    flows = [
        await create_flow(user, *members)
        for members in ((agent, tool), (tool, agent), (agent, inactive), (inactive, tool))
    ]
    deactivate(sql, inactive)
    shown = (await active(user, agent_type="genai"))["active_connections"][:-1]
    assert [one["id"] for one in shown] == [flow["id"] for flow in flows[:2]], "the oldest first"
    by_function, by_title = (one["agent_schema"] for one in shown)
    assert by_function["function"]["name"] == flows[0]["alias"]
    assert by_title == {**TOOL_SCHEMA, "title": flows[1]["alias"], "description": "Does both"}
