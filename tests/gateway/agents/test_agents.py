"""Registering and reading agents, through the real gateway."""

import json
import re
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from shared.tokens import read_token
from tests.gateway.shapes import (
    ACTIVE_AGENT,
    AGENT,
    REGISTERED_AGENT,
    assert_shape,
    faults,
    good,
    refused,
    told,
)
from tests.sql import Sql
from tests.system import System
from tests.users import User

REGISTER = "/api/agents/register"
SCHEMA = {
    "type": "function",
    "function": {"name": "fn", "description": "fd", "parameters": {"type": "object"}},
}


def new_agent(**others: Any) -> dict[str, Any]:
    return {"name": "Adder", "description": "Adds", "input_parameters": {}, **others}


async def register(user: User, **others: Any) -> dict[str, Any]:
    agent: dict[str, Any] = good(await user.http.post(REGISTER, json=new_agent(**others)))
    return agent


async def names(user: User, **query: str | int) -> list[str]:
    agents = good(await user.http.get("/api/agents", params=query))
    return [agent["agent_name"] for agent in agents]


async def test_a_registered_agent_is_answered_with_its_token(user: User, system: System) -> None:
    agent = await register(user, name="My First Agent", input_parameters=SCHEMA)
    assert_shape(agent, REGISTERED_AGENT)
    assert (agent["name"], agent["input_parameters"]) == ("my_first_agent", SCHEMA)
    assert re.fullmatch("my_first_agent_[a-z]{6}", agent["alias"])
    claims = read_token(system.settings.secret_key, agent["jwt"])
    assert claims is not None
    assert (str(claims.agent_id), str(claims.user_id)) == (agent["id"], user.id)


async def test_what_the_front_end_registers_is_taken(user: User) -> None:
    generated = {
        "name": "",
        "description": "",
        "input_parameters": {"additionalProp1": {}},
        "is_active": False,
    }
    agent = good(await user.http.post(REGISTER, json=generated))
    assert (agent["name"], agent["description"]) == ("", "")


async def test_unknown_keys_of_an_agent_are_ignored(user: User) -> None:
    agent = await register(user, is_active=True, alias="mine", jwt="x")
    stored = await user.read_agent(agent["id"])
    assert (stored["is_active"], agent["alias"] == "mine", agent["jwt"] == "x") == (
        False,
        False,
        False,
    )


async def test_an_agent_may_bring_its_id(user: User) -> None:
    id_ = str(uuid4())
    assert (await register(user, id=id_.upper()))["id"] == id_


async def test_an_id_is_taken_only_once(user: User, other_user: User) -> None:
    agent = await register(user)
    for someone in (user, other_user):
        answer = await someone.http.post(REGISTER, json=new_agent(id=agent["id"]))
        assert refused(answer) == f"Agent with {agent['id']} already exists"


@pytest.mark.parametrize(
    ("id_", "detail"),
    [
        ("abc", "Parameter 'id' must be a valid uuid"),
        (None, "Parameter 'id' must not be a null"),
    ],
)
async def test_an_id_that_is_no_uuid_is_refused(reader: User, id_: str | None, detail: str) -> None:
    assert refused(await reader.http.post(REGISTER, json=new_agent(id=id_))) == detail


@pytest.mark.parametrize("name", ["n" * 55, "A" * 55, " " * 3, "😀" * 55])
async def test_a_name_may_have_55_characters(user: User, name: str) -> None:
    assert len((await register(user, name=name))["name"]) in {0, 55}


@pytest.mark.parametrize(
    ("others", "field"),
    [
        ({"name": "n" * 56}, "name"),
        ({"name": None}, "name"),
        ({"name": 5}, "name"),
        ({"name": "\x00"}, "name"),
        ({"description": "a\x00"}, "description"),
        ({"description": None}, "description"),
        ({"id": 5}, "id"),
        ({"input_parameters": None}, "input_parameters"),
        ({"input_parameters": []}, "input_parameters"),
        ({"input_parameters": "[]"}, "input_parameters"),
        ({"input_parameters": "no"}, "input_parameters"),
        ({"input_parameters": {"a": ["\x00"]}}, "input_parameters"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_is_wrong_with_an_agent_is_one_sentence(
    reader: User, others: dict[str, Any], field: str
) -> None:
    told(await reader.http.post(REGISTER, json=new_agent(**others)), field)


async def test_every_missing_field_of_an_agent_is_named(reader: User) -> None:
    answer = await reader.http.post(REGISTER, json={})
    places = [["body", name] for name in ("name", "description", "input_parameters")]
    assert faults(answer) == [("missing", place) for place in places]


async def test_parameters_are_taken_as_json_text(user: User) -> None:
    agent = await register(user, input_parameters='{"a": 1}')
    assert agent["input_parameters"] == {"a": 1}


@pytest.mark.parametrize("depth", [100, 300, 900])
async def test_deep_parameters_are_taken_or_refused(user: User, depth: int) -> None:
    content = '{"name": "a", "description": "d", "input_parameters": %s1%s}' % (  # noqa: UP031
        '{"a":' * depth,
        "}" * depth,
    )
    answer = await user.http.post(REGISTER, content=content.encode())
    assert answer.status_code in {200, 400, 422}, answer.text


@pytest.mark.parametrize("as_text", [False, True])
async def test_integers_in_parameters_stay_as_they_were(user: User, as_text: bool) -> None:
    large = {"a": 2**80, "b": [-(2**80), 2**63]}
    agent = await register(user, input_parameters=json.dumps(large) if as_text else large)
    assert agent["input_parameters"] == large
    assert (await user.read_agent(agent["id"]))["agent_schema"] == large


@pytest.mark.parametrize("number", ["1e400", "123456789012345678901234567890", "-0.0", "1e-400"])
async def test_any_json_number_in_parameters_is_taken_or_refused(user: User, number: str) -> None:
    content = f'{{"name": "a", "description": "d", "input_parameters": {{"a": {number}}}}}'
    answer = await user.http.post(REGISTER, content=content.encode())
    assert answer.status_code in {200, 400, 422}, answer.text
    good(await user.http.get("/api/agents"))


async def test_an_agent_is_listed_as_it_was_registered(user: User) -> None:
    agent = await register(user)
    [listed] = good(await user.http.get("/api/agents"))
    assert_shape(listed, AGENT)
    assert listed == {
        "agent_id": agent["id"],
        "agent_name": "adder",
        "agent_description": "Adds",
        "agent_schema": {},
        "created_at": agent["created_at"],
        "updated_at": agent["updated_at"],
        "is_active": False,
        "agent_jwt": agent["jwt"],
        "agent_alias": agent["alias"],
    }


async def test_one_agent_is_read_as_it_is_listed(user: User) -> None:
    agent = await register(user)
    [listed] = good(await user.http.get("/api/agents"))
    assert await user.read_agent(agent["id"]) == listed


async def test_the_function_of_a_listed_agent_has_its_name(user: User) -> None:
    agent = await register(user, input_parameters=SCHEMA)
    stored = await user.read_agent(agent["id"])
    assert stored["agent_schema"]["function"] == {**SCHEMA["function"], "name": "adder"}  # type: ignore[dict-item]


async def test_agents_are_listed_oldest_first(user: User) -> None:
    for name in ("b", "a", "c"):
        await register(user, name=name)
    assert await names(user) == ["b", "a", "c"]


@pytest.mark.parametrize("missing", ["name", "description"])
async def test_an_agent_without_name_or_description_is_not_listed(user: User, missing: str) -> None:
    agent = await register(user, **{missing: ""})
    assert await names(user) == []
    assert (await user.read_agent(agent["id"]))["agent_id"] == agent["id"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"name": "one"}, ["one"]),
        ({"name": "One"}, []),
        ({"name": "on"}, []),
        ({"name": ""}, []),
        ({"description": "DOES"}, ["one", "two"]),
        ({"description": "y"}, ["two"]),
        ({"description": "%"}, []),
        ({"description": "_"}, []),
        ({"description": "é"}, ["two"]),
        ({"name": "one", "description": "y"}, ["one"]),
        ({"description": "does", "limit": 1, "offset": 1}, ["two"]),
    ],
    ids=str,
)
async def test_agents_are_found_by_name_and_description(
    user: User, query: dict[str, str | int], found: list[str]
) -> None:
    await register(user, name="one", description="does X")
    await register(user, name="two", description="Does Y, É")
    assert await names(user, **query) == found


@pytest.mark.parametrize("id_", ["abc", "register", "%00", "1" * 33])
async def test_an_agents_id_is_a_uuid(reader: User, id_: str) -> None:
    answer = await reader.http.get(f"/api/agents/{id_}")
    assert faults(answer) == [("uuid_parsing", ["path", "agent_id"])]


@pytest.fixture
async def active(user: User, sql: Sql) -> dict[str, Any]:
    """A connected agent."""
    agent = await register(user, input_parameters=SCHEMA)
    sql("UPDATE agents SET is_active = true WHERE id = %s", agent["id"])
    return agent


@pytest.mark.parametrize("query", [{}, {"agent_type": "all"}, {"agent_type": "genai"}], ids=str)
async def test_a_connected_agent_may_be_called(
    user: User, active: dict[str, Any], query: dict[str, str]
) -> None:
    answer = good(await user.http.get("/api/agents/active", params=query))
    assert answer.keys() == {"count_active_connections", "active_connections"}
    [connection] = answer["active_connections"]
    assert_shape(connection, ACTIVE_AGENT)
    assert answer["count_active_connections"] == 1
    assert connection == {
        "id": active["id"],
        "name": active["alias"],
        "type": "genai",
        "agent_schema": {**SCHEMA, "function": {**SCHEMA["function"], "name": active["alias"]}},  # type: ignore[dict-item]
        "created_at": active["created_at"],
        "updated_at": active["updated_at"],
        "is_active": True,
    }


@pytest.mark.parametrize("said", [{}, {"k": "v"}, {"function": "f"}], ids=repr)
@pytest.mark.parametrize("change", [False, True])
async def test_a_connected_agent_that_has_said_nothing_can_be_called(
    user: User, sql: Sql, active: dict[str, Any], said: dict[str, Any], change: bool
) -> None:
    if change:
        agent, new = active, new_agent(input_parameters=said)
        good(await user.http.patch(f"/api/agents/{active['id']}", json=new))
    else:
        agent = await register(user, name="second", input_parameters=said)
        sql("UPDATE agents SET is_active = true WHERE id = %s", agent["id"])
    [shown, *_] = good(await user.http.get("/api/agents/active"))["active_connections"]
    nothing = {"type": "object", "properties": {}}
    function = {"name": agent["alias"], "description": "Adds", "parameters": nothing}
    assert shown["agent_schema"] == {"type": "function", "function": function}


@pytest.mark.parametrize("missing", ["name", "description"])
async def test_a_connected_agent_is_in_every_list_whatever_it_lacks(
    user: User, sql: Sql, missing: str
) -> None:
    agent = await register(user, **{missing: ""})
    sql("UPDATE agents SET is_active = true WHERE id = %s", agent["id"])
    for path in ("/api/agents", "/api/agents/frontend?is_active=true"):
        assert [each["agent_id"] for each in good(await user.http.get(path))] == [agent["id"]]
    [shown] = good(await user.http.get("/api/agents/active"))["active_connections"]
    assert (shown["id"], shown["name"]) == (agent["id"], agent["alias"])
    assert shown["agent_schema"]["function"]["description"].strip()


@pytest.mark.usefixtures("active")
async def test_what_is_not_connected_may_not_be_called(user: User) -> None:
    await register(user, name="sleeper")
    answer = good(await user.http.get("/api/agents/active"))
    assert answer["count_active_connections"] == 1


@pytest.mark.usefixtures("active")
@pytest.mark.parametrize("agent_type", ["mcp", "a2a"])
async def test_an_agent_is_of_no_other_type(user: User, agent_type: str) -> None:
    answer = await user.http.get("/api/agents/active", params={"agent_type": agent_type})
    assert good(answer) == {"count_active_connections": 0, "active_connections": []}


async def test_active_agents_come_newest_first_and_the_count_is_of_these(
    user: User, sql: Sql
) -> None:
    for name in ("a", "b", "c"):
        await register(user, name=name)
    sql("UPDATE agents SET is_active = true WHERE creator_id = %s", user.id)
    answer = good(await user.http.get("/api/agents/active", params={"limit": 1, "offset": 1}))
    assert answer["count_active_connections"] == 1
    assert [one["name"][:-7] for one in answer["active_connections"]] == ["b"]


@pytest.mark.parametrize("agent_type", ["flow", "", "GENAI", "\x00"])
async def test_an_unknown_type_is_a_fault(reader: User, agent_type: str) -> None:
    answer = await reader.http.get("/api/agents/active", params={"agent_type": agent_type})
    assert [loc for _, loc in faults(answer)] == [["query", "agent_type"]]


async def test_a_text_to_look_for_has_no_nul(visitor: httpx2.AsyncClient, reader: User) -> None:
    answer = await reader.http.get("/api/agents", params={"name": "\x00", "description": "\x00"})
    assert faults(answer) == [
        ("value_error", ["query", "name"]),
        ("value_error", ["query", "description"]),
    ]


async def test_connections_of_all_kinds_are_one_list(user: User, sql: Sql) -> None:
    await register(user, name="an agent", description="d")
    sql("UPDATE agents SET is_active = true WHERE creator_id = %s", user.id)
    sql(
        """
        WITH server AS (
            INSERT INTO mcpservers (id, server_url, creator_id, is_active)
            VALUES (gen_random_uuid(), 'http://m/mcp', %s, true) RETURNING id
        )
        INSERT INTO mcptools (id, name, "inputSchema", alias, mcp_server_id)
        SELECT gen_random_uuid(), 'tool', '{"type": "object"}', 'tool_abcdef', id FROM server
        """,
        user.id,
    )
    sql(
        """
        INSERT INTO a2acards
            (id, name, alias, description, server_url, card_content, creator_id, is_active)
        VALUES (gen_random_uuid(), 'card', 'card_abcdef', 'd', 'http://a', '{}', %s, true)
        """,
        user.id,
    )
    answer = good(await user.http.get("/api/agents/active"))
    assert answer["count_active_connections"] == 3
    assert [one["type"] for one in answer["active_connections"]] == ["a2a", "mcp", "genai"]
    assert answer["active_connections"][1]["agent_schema"]["required"] == []
    page = good(await user.http.get("/api/agents/active", params={"offset": 3}))
    assert page == {"count_active_connections": 0, "active_connections": []}


async def test_an_agent_tells_since_when_it_is_there_where_that_is_asked_for(
    user: User, sql: Sql
) -> None:
    agent = await register(user)
    path, details = f"/api/agents/{agent['id']}", {"details": "true"}
    assert "is_active_since" not in good(await user.http.get(path))
    assert good(await user.http.get(path, params=details))["is_active_since"] is None
    for expected in (True, False):
        sql("UPDATE agents SET is_active = %s WHERE id = %s", expected, agent["id"])
        [listed] = good(await user.http.get("/api/agents", params=details))
        since = listed["is_active_since"]
        assert (listed["is_active"], since > agent["created_at"]) == (expected, True)
        sql(
            "UPDATE agents SET is_active = %s, updated_at = now() WHERE id = %s",
            expected,
            agent["id"],
        )
        assert good(await user.http.get(path, params=details))["is_active_since"] == since
