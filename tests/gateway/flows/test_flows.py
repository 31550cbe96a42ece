"""Flows: made of what is active, and as active as their members, through the real gateway."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.gateway.members import create_flow, deactivate, insert_agent, insert_card, insert_tool
from tests.gateway.shapes import assert_shape, faults, good, refused, told
from tests.sql import Sql
from tests.users import Json, User

FLOWS, REGISTER = "/api/agentflows", "/api/agentflows/register"
FLOW = {"id", "name", "description", "flow", "is_active", "created_at", "updated_at"}
STORED_FLOW = FLOW | {"alias", "creator_id"}


@pytest.fixture
def members(user: User, sql: Sql) -> list[Json]:
    """Two connected agents of the user."""
    return [insert_agent(sql, user.id, "one"), insert_agent(sql, user.id, "two")]


def wanted(members: list[Json], **others: Any) -> Json:
    return {"name": "f", "description": "d", "flow": members, **others}


async def write_both_ways(user: User, new: Json, existing: str) -> list[str]:
    """What is said when this is refused, in a new flow and in an existing one."""
    created = await user.http.post(REGISTER, json=new)
    updated = await user.http.patch(f"{FLOWS}/{existing}", json=new)
    return [refused(created), refused(updated)]


async def test_a_flow_is_answered_with_its_alias_and_listed_without(
    user: User, members: list[Json]
) -> None:
    flow = await create_flow(user, *members)
    assert_shape(flow, STORED_FLOW)
    assert (flow["name"], flow["description"], flow["flow"]) == ("my_flow", "Does both", members)
    assert (flow["creator_id"], flow["is_active"]) == (user.id, True)
    assert re.fullmatch("my_flow_[a-z]{6}", flow["alias"])
    shown = {key: flow[key] for key in FLOW}
    assert good(await user.http.get(f"{FLOWS}/{flow['id']}")) == shown
    assert good(await user.http.get(f"{FLOWS}/")) == [shown]


async def test_the_members_stay_in_their_order_and_may_come_twice(
    user: User, sql: Sql, members: list[Json]
) -> None:
    mixed = [insert_tool(sql, user.id), members[1], insert_card(sql, user.id), members[1]]
    flow = await create_flow(user, *mixed)
    stored = good(await user.http.get(f"{FLOWS}/{flow['id']}"))
    assert (stored["flow"], stored["is_active"]) == (mixed, True)


async def test_an_id_in_upper_case_is_nobodys(user: User, members: list[Json]) -> None:
    shouted = [{**member, "id": member["id"].upper()} for member in members]
    body = {"name": "f", "description": "d", "flow": shouted}
    answer = await user.http.post("/api/agentflows/register", json=body)
    assert shouted[0]["id"] in refused(answer)


async def test_two_flows_of_one_name_have_aliases_of_their_own(
    user: User, members: list[Json]
) -> None:
    aliases = {(await create_flow(user, *members))["alias"] for _ in range(2)}
    assert len(aliases) == 2


async def test_the_alias_stays_while_the_name_stays(user: User, members: list[Json]) -> None:
    flow = await create_flow(user, *members)
    path = f"{FLOWS}/{flow['id']}"
    changes = wanted(members[::-1], name="my flow")
    same = good(await user.http.patch(path, json=changes))
    assert_shape(same, STORED_FLOW)
    assert (same["alias"], same["flow"]) == (flow["alias"], members[::-1])
    assert same["updated_at"] > same["created_at"] == flow["created_at"]
    other = good(await user.http.patch(path, json={**changes, "name": "Other"}))
    assert re.fullmatch("other_[a-z]{6}", other["alias"])


async def test_flows_are_listed_newest_first_in_pages(user: User, members: list[Json]) -> None:
    for name in ("a", "b", "c"):
        await create_flow(user, *members, name=name)

    async def names(**query: int) -> list[str]:
        return [flow["name"] for flow in good(await user.http.get(FLOWS, params=query))]

    assert await names() == ["c", "b", "a"]
    assert await names(limit=1, offset=1) == ["b"]
    assert await names(limit=0) == []
    for query in ({"limit": -1}, {"offset": -1}):
        faults(await user.http.get(FLOWS, params=query))


@pytest.mark.parametrize("insert", [insert_agent, insert_tool, insert_card])
async def test_a_flow_is_active_while_all_its_members_are(
    user: User, sql: Sql, members: list[Json], insert: Callable[[Sql, str], Json]
) -> None:
    member = insert(sql, user.id)
    flow = await create_flow(user, members[0], member)
    deactivate(sql, member)
    assert good(await user.http.get(f"{FLOWS}/{flow['id']}"))["is_active"] is False
    assert [one["is_active"] for one in good(await user.http.get(FLOWS))] == [False]


async def test_a_flow_whose_member_was_deleted_is_inactive(user: User, members: list[Json]) -> None:
    flow = await create_flow(user, *members)
    assert (await user.http.delete(f"/api/agents/{members[0]['id']}")).status_code == 204
    stored = good(await user.http.get(f"{FLOWS}/{flow['id']}"))
    assert (stored["is_active"], stored["flow"]) == (False, members)


@pytest.mark.parametrize("field", ["name", "description"])
@pytest.mark.parametrize("text", ["", "  "])
async def test_a_flow_has_a_name_and_a_description(
    user: User, members: list[Json], field: str, text: str
) -> None:
    existing = await create_flow(user, *members)
    said = await write_both_ways(user, wanted(members, **{field: text}), existing["id"])
    assert said == [f"'{field}' parameter must not be empty string"] * 2


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        ({"id": "abc"}, "Agent ID is not a valid UUID"),
        (
            {"id": None},
            (
                "One or more agents were not registered previously or are not active: [None]. "
                "Make sure agent was registered by you and is active before including it into "
                "the agent flow"
            ),
        ),
        ({"id": ""}, "Agent ID is not a valid UUID"),
        ({"type": "zzz"}, "Agent type must be one of 'genai', 'mcp', or 'a2a'"),
        ({"type": "flow"}, "Agent type must be one of 'genai', 'mcp', or 'a2a'"),
        ({"type": ""}, "Agent type must be one of 'genai', 'mcp', or 'a2a'"),
    ],
    ids=str,
)
async def test_a_member_that_can_be_none_is_refused_with_one_sentence(
    user: User, members: list[Json], others: Json, sentence: str
) -> None:
    existing = await create_flow(user, *members)
    odd = wanted([{**members[0], **others}, members[1]])
    assert await write_both_ways(user, odd, existing["id"]) == [sentence] * 2


async def test_members_that_are_not_active_are_named(
    user: User, other_user: User, sql: Sql, members: list[Json]
) -> None:
    existing = await create_flow(user, *members)
    wrong = [
        insert_agent(sql, user.id, is_active=False),
        insert_agent(sql, other_user.id),
        insert_tool(sql, other_user.id),
        insert_card(sql, other_user.id),
        {"id": str(uuid4()), "type": "genai"},
        {**members[1], "type": "mcp"},
    ]
    said = await write_both_ways(user, wanted([members[0], *wrong]), existing["id"])
    for sentence in said:
        assert sentence.startswith("One or more agents were not registered previously or are not")
        assert all(member["id"] in sentence for member in wrong)
        assert members[0]["id"] not in sentence


async def test_a_member_without_a_type_is_named(user: User, members: list[Json]) -> None:
    existing = await create_flow(user, *members)
    untyped = {"id": members[0]["id"]}
    for sentence in await write_both_ways(user, wanted([untyped, members[1]]), existing["id"]):
        assert members[0]["id"] in sentence


@pytest.mark.parametrize(
    ("others", "field"),
    [
        ({"flow": []}, "flow"),
        ({"flow": [{"id": "a", "type": "mcp"}]}, "flow"),
        ({"flow": [1] * 1001}, "flow"),  # one fault, not one for each
        ({"flow": None}, "flow"),
        ({"name": "n" * 56}, "name"),
        ({"name": None}, "name"),
        ({"name": "\x00"}, "name"),
        ({"description": 5}, "description"),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_what_is_wrong_with_a_flow_is_one_sentence(
    reader: User, others: Json, field: str
) -> None:
    new = wanted([{"id": "a", "type": "mcp"}, {"id": "b", "type": "mcp"}], **others)
    told(await reader.http.post(REGISTER, json=new), field)
    told(await reader.http.patch(f"{FLOWS}/{uuid4()}", json=new), field)


async def test_a_deleted_flow_is_gone_and_its_members_stay(user: User, members: list[Json]) -> None:
    flow = await create_flow(user, *members)
    answer = await user.http.delete(f"{FLOWS}/{flow['id']}/")
    assert (answer.status_code, answer.content) == (204, b"")
    again = await user.http.delete(f"{FLOWS}/{flow['id']}")
    assert refused(again) == f"agentflow {flow['id']} was not found"
    assert good(await user.http.get(f"/api/agents/{members[0]['id']}"))
