"""Changing and deleting agents, and how agents ask for their like, through the real gateway."""

from typing import Any
from uuid import uuid4

import pytest

from tests.gateway.shapes import AGENT, assert_shape, faults, good, refused, told
from tests.sql import Sql
from tests.users import Json, User

CHANGES = {"name": "New Name", "description": "new", "input_parameters": {"k": "v"}}


async def update(user: User, agent: Json, **others: Any) -> Json:
    answer = await user.http.patch(f"/api/agents/{agent['id']}", json={**CHANGES, **others})
    changed: Json = good(answer)
    return changed


def as_agent(agent: Json) -> dict[str, str]:
    return {"Authorization": f"Bearer {agent['jwt']}"}


async def test_a_changed_agent_is_answered_with_its_old_alias_as_the_name(user: User) -> None:
    agent = await user.register_agent("old", "old")
    changed = await update(user, agent)
    assert_shape(changed, AGENT)
    assert changed["agent_name"] == changed["agent_alias"] == agent["alias"]
    assert (changed["agent_description"], changed["agent_schema"]) == ("new", {"k": "v"})
    assert changed["updated_at"] > agent["updated_at"]
    assert changed["agent_jwt"] == agent["jwt"]
    stored = await user.read_agent(agent["id"])
    assert stored == {**changed, "agent_name": "new_name"}


async def test_unknown_keys_of_changes_are_ignored(user: User) -> None:
    agent = await user.register_agent("old", "old")
    changed = await update(user, agent, is_active=True, alias="zzz", jwt="zzz", id=str(uuid4()))
    assert (changed["is_active"], changed["agent_id"]) == (False, agent["id"])


async def test_a_schema_may_be_given_as_json_text(user: User) -> None:
    agent = await user.register_agent("old", "old")
    changed = await update(user, agent, input_parameters='{"a": 1}')
    assert changed["agent_schema"] == {"a": 1}


async def test_an_agent_may_lose_its_name(user: User) -> None:
    agent = await user.register_agent("old", "old")
    await update(user, agent, name="", description="")
    assert good(await user.http.get("/api/agents")) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": None}, "name"),
        ({"name": "n" * 56}, "name"),
        ({"input_parameters": [1]}, "input_parameters"),
        ({"input_parameters": "text"}, "input_parameters"),
        ({"description": "\x00"}, "description"),
    ],
    ids=str,
)
async def test_wrong_changes_are_one_sentence(reader: User, changes: Json, field: str) -> None:
    told(await reader.http.patch(f"/api/agents/{uuid4()}", json={**CHANGES, **changes}), field)


async def test_a_deleted_agent_is_gone_and_its_token_dead(user: User) -> None:
    agent = await user.register_agent("mine", "mine")
    answer = await user.http.delete(f"/api/agents/{agent['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    again = await user.http.delete(f"/api/agents/{agent['id']}")
    assert refused(again) == f"Agent {agent['id']} was not found"
    listed = await user.http.get("/api/agents", headers=as_agent(agent))
    assert listed.status_code == 401


@pytest.mark.parametrize("path", ["/api/agents", "/api/agents/frontend"])
async def test_agents_that_list_their_like_see_their_own_token_only(user: User, path: str) -> None:
    asking, other = await user.register_agent("a", "a"), await user.register_agent("b", "b")
    listed = good(await user.http.get(path, headers=as_agent(asking)))
    shown = {agent["agent_id"]: agent["agent_jwt"] for agent in listed}
    assert shown == {asking["id"]: asking["jwt"], other["id"]: ""}
    listed = good(await user.http.get(path))
    assert [agent["agent_jwt"] for agent in listed] == [asking["jwt"], other["jwt"]]


async def test_an_agent_that_reads_another_does_not_see_its_token(user: User) -> None:
    asking, other = await user.register_agent("a", "a"), await user.register_agent("b", "b")
    for agent, shown in ((asking, asking["jwt"]), (other, "")):
        read = await user.http.get(f"/api/agents/{agent['id']}", headers=as_agent(asking))
        assert good(read) == {**await user.read_agent(agent["id"]), "agent_jwt": shown}
    assert (await user.read_agent(other["id"]))["agent_jwt"] == other["jwt"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["on", "off"]),
        ({"is_active": "True"}, ["on"]),
        ({"is_active": "true"}, ["on"]),
        ({"is_active": "false"}, ["off"]),
    ],
    ids=str,
)
async def test_agents_list_their_like(
    user: User, sql: Sql, query: dict[str, str], expected: list[str]
) -> None:
    on, _ = await user.register_agent("on", "o"), await user.register_agent("off", "o")
    await user.register_agent()
    sql("UPDATE agents SET is_active = true WHERE id = %s", on["id"])
    for headers in ({}, as_agent(on)):
        answer = await user.http.get("/api/agents/frontend", params=query, headers=headers)
        assert [agent["agent_name"] for agent in good(answer)] == expected
        assert_shape(good(answer)[0], AGENT)


async def test_whether_agents_are_active_is_a_boolean(reader: User) -> None:
    answer = await reader.http.get("/api/agents/frontend", params={"is_active": "maybe"})
    assert faults(answer) == [("bool_type", ["query", "is_active"])]
