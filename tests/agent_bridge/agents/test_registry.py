"""Agents that come and go: whom the bridge believes, and what it stores of them."""

import json
import re
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest

from agent_bridge.agents.registry import Refusal, Registration, Registry
from agent_bridge.router.frames import AgentRegistered
from agent_bridge.router.session import AgentsSeen
from shared.postgres.pool import create_database
from tests.agent_bridge.actors import (
    SCHEMA,
    RouterClient,
    connected,
    connected_agent,
    is_active,
    until_active,
    until_inactive,
    until_inbox_is_empty,
)
from tests.agent_bridge.stored import execute
from tests.system import System
from tests.users import Json, User


async def _registered(
    system: System, user: User, agent: Json, name: str, description: str = "tests"
) -> Json:
    """The agent as it is stored after it has connected under this name."""
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register(name, description)
        await until_active(user, agent["id"])
        stored = await user.read_agent(agent["id"])
    await until_inactive(user, agent["id"])
    return stored


async def test_integers_of_a_schema_are_listed_as_they_were(system: System, user: User) -> None:
    parameters = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 2**80}}}
    schema = {"type": "function", "function": {"description": "d", "parameters": parameters}}
    agent = await user.register_agent("large", "large")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("large", "large", schema)
        await until_active(user, agent["id"])
        answer = await user.http.get("/api/agents/active")
    [shown] = answer.json()["active_connections"]
    assert shown["agent_schema"]["function"]["parameters"] == parameters


async def _refusal(connection: RouterClient) -> Json:
    frame: Json = await connection.receive()
    error: Json = frame["error"]
    return error


async def test_a_registration_activates_and_stores_what_the_agent_says(
    system: System, user: User
) -> None:
    agent = await user.register_agent()
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("weather", "tells the weather")
        await until_active(user, agent["id"])
        stored = await user.read_agent(agent["id"])
    assert stored["agent_name"] == "weather"
    assert stored["agent_description"] == "tells the weather"
    assert stored["agent_schema"]["function"]["parameters"] == {"type": "object"}
    assert stored["agent_alias"].startswith("weather_")


@pytest.mark.parametrize(
    ("said", "stored", "beginning"),
    [
        ("My Agent", "my_agent", "my_agent"),
        (" Two  Blanks ", "two__blanks", "two__blanks"),
        ("N" * 60, "n" * 55, "n" * 55),
        ("Wetter für Köln", "wetter_für_köln", "wetter_fur_koln"),
    ],
)
async def test_a_name_is_normalised(
    said: str, stored: str, beginning: str, system: System, user: User
) -> None:
    agent = await _registered(system, user, await user.register_agent(), said)
    assert agent["agent_name"] == stored
    assert re.fullmatch(f"{beginning}_[a-z]{{6}}", agent["agent_alias"])


async def test_the_alias_stays_while_the_name_stays(system: System, user: User) -> None:
    agent = await user.register_agent("steady", "tests")
    stored = await _registered(system, user, agent, "Steady", "other words")
    assert stored["agent_alias"] == agent["alias"]
    assert stored["agent_description"] == "other words"


async def test_the_alias_changes_with_the_name(system: System, user: User) -> None:
    agent = await user.register_agent("before", "tests")
    stored = await _registered(system, user, agent, "after")
    assert stored["agent_alias"].startswith("after_")


async def test_an_agent_that_says_nothing_of_itself_keeps_what_is_stored(
    system: System, user: User
) -> None:
    agent = await user.register_agent("quiet", "says nothing")
    stored = await _registered(system, user, agent, "", "")
    assert (stored["agent_name"], stored["agent_description"]) == ("quiet", "says nothing")
    assert stored["agent_alias"] == agent["alias"]


async def test_an_agent_that_leaves_is_inactive(system: System, user: User) -> None:
    agent = await user.register_agent("short", "leaves")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("short", "leaves")
        await until_active(user, agent["id"])
    await until_inactive(user, agent["id"], 2)


@pytest.mark.parametrize("schema", [[], 5, "text", '{"type": "function"}', {"k\x00": "\x00"}, {}])
async def test_an_agent_with_an_odd_schema_is_registered_all_the_same(
    schema: Any, system: System, user: User
) -> None:
    agent = await user.register_agent("odd", "odd")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("odd", "odd", schema)
        await until_active(user, agent["id"])
        assert isinstance((await user.read_agent(agent["id"]))["agent_schema"], dict)


@pytest.mark.parametrize("text", ["a\x00b", "ä" * 100_000, "😀"])
async def test_an_agent_of_any_name_and_description_is_registered(
    text: str, system: System, user: User
) -> None:
    agent = await user.register_agent("any", "any")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register(text, text)
        await until_active(user, agent["id"])


def _forged(user: User, agent_id: str, **claims: Any) -> str:
    given = {"sub": agent_id, "user_id": user.id, "exp": 253402300799, **claims}
    return jwt.encode(given, "another key that is long enough!", "HS256")


async def test_a_token_signed_with_another_key_is_refused_and_told(
    system: System, user: User
) -> None:
    agent = await user.register_agent("mine", "mine")
    async with connected_agent(system, _forged(user, agent["id"])) as connection:
        await connection.register("mine", "mine")
        error = await _refusal(connection)
    assert error["error_message"]
    assert error["error_type"] == "AgentGeneralError"
    assert await is_active(user, agent["id"]) is False


async def test_a_token_of_an_unknown_agent_is_refused_and_told(system: System, user: User) -> None:
    claims = {"sub": str(uuid4()), "user_id": user.id, "exp": 253402300799}
    token = jwt.encode(claims, system.settings.secret_key, "HS256")
    async with connected_agent(system, token) as connection:
        await connection.register()
        assert (await _refusal(connection))["error_message"]


async def test_a_token_of_another_user_s_agent_is_refused_and_told(
    system: System, user: User, other_user: User
) -> None:
    agent = await user.register_agent("mine", "mine")
    claims = {"sub": agent["id"], "user_id": other_user.id, "exp": 253402300799}
    token = jwt.encode(claims, system.settings.secret_key, "HS256")
    async with connected_agent(system, token) as connection:
        await connection.register()
        assert (await _refusal(connection))["error_message"]
    assert await is_active(user, agent["id"]) is False


async def test_a_token_of_a_deleted_agent_is_refused_and_told(system: System, user: User) -> None:
    agent = await user.register_agent("gone", "gone")
    execute(system, "DELETE FROM agents WHERE id = %s", agent["id"])
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register()
        assert (await _refusal(connection))["error_message"]


@pytest.mark.parametrize("token", ["not-a-jwt", "a.b.c"])
async def test_a_text_that_is_no_token_is_refused_and_told(token: str, system: System) -> None:
    async with connected_agent(system, token) as connection:
        await connection.register()
        assert (await _refusal(connection))["error_message"]


async def test_a_user_s_token_is_refused_and_told(system: System, user: User) -> None:
    async with connected_agent(system, user.token) as connection:
        await connection.register()
        assert (await _refusal(connection))["error_message"]


async def test_a_good_token_of_another_identity_is_refused(system: System, user: User) -> None:
    mine, other = await user.register_agent("mine", "mine"), await user.register_agent("o", "o")
    async with create_database(system.settings) as database:
        registry = Registry(system.settings, database)
        claim = AgentRegistered(other["id"], mine["jwt"], "mine", "mine", SCHEMA)
        assert registry.verify(claim) == Refusal(UUID(other["id"]))
        [telling] = registry._refusing
        telling.cancel()


async def test_what_a_leader_of_the_past_says_of_an_agent_counts_no_more(
    system: System, user: User
) -> None:
    agent = await user.register_agent("mine", "mine")
    claim = AgentRegistered(agent["id"], agent["jwt"], "other", "mine", SCHEMA)
    async with create_database(system.settings) as database:
        registry = Registry(system.settings, database)
        said = registry.verify(claim)
        assert isinstance(said, Registration)
        await registry.register(uuid4(), said)
        await registry.update_presence(uuid4(), AgentsSeen(frozenset([said.agent_id]), frozenset()))
        assert not registry._refusing  # it did nothing wrong
    assert (await user.read_agent(agent["id"]))["agent_name"] == "mine"
    assert await is_active(user, agent["id"]) is False


async def test_a_leader_of_the_past_ends_no_agent(system: System, user: User) -> None:
    agent = await user.register_agent("stays", "stays")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("stays", "stays")
        await until_active(user, agent["id"])
        async with create_database(system.settings) as database:
            registry, agent_id = Registry(system.settings, database), UUID(agent["id"])
            await registry.unregister(uuid4(), agent_id)
            await registry.update_presence(uuid4(), AgentsSeen(frozenset(), frozenset([agent_id])))
            await registry.forget_all(uuid4())
        assert await is_active(user, agent["id"]) is True


async def test_a_refused_registration_changes_nothing_of_the_agent(
    system: System, user: User
) -> None:
    agent = await user.register_agent("mine", "mine")
    before = await user.read_agent(agent["id"])
    async with connected_agent(system, _forged(user, agent["id"])) as connection:
        await connection.register("stolen", "stolen")
        await _refusal(connection)
    assert await user.read_agent(agent["id"]) == before


async def test_the_bridge_goes_on_after_many_refusals(system: System, user: User) -> None:
    for _ in range(20):
        async with connected_agent(system, "not-a-jwt") as connection:
            await connection.register()
    await until_inbox_is_empty(system, user)


@pytest.mark.parametrize(
    "form",
    [
        "{other}",
        "urn:uuid:{id}",
        "{{{id}}}",
        "{upper}",
        "{hex}",
        "other:{id}",
    ],
)
async def test_the_end_of_a_connection_that_is_no_agent_deactivates_nobody(
    form: str, system: System, user: User
) -> None:
    agent = await user.register_agent("stays", "stays")
    key = form.format(
        id=agent["id"],
        other=uuid4(),
        upper=agent["id"].upper(),
        hex=agent["id"].replace("-", ""),
    )
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("stays", "stays")
        await until_active(user, agent["id"])
        async with connected(system, x_custom_invoke_key=key):
            pass
        await until_inbox_is_empty(system, user)
        assert await is_active(user, agent["id"]) is True


async def test_an_invocation_dressed_as_an_unregistration_deactivates_nobody(
    system: System, user: User
) -> None:
    agent = await user.register_agent("stays", "stays")
    async with (
        connected_agent(system, agent["jwt"]) as connection,
        connected(system, x_custom_invoke_key="anyone") as stranger,
    ):
        await connection.register("stays", "stays")
        await until_active(user, agent["id"])
        forged = {"message_type": "agent_unregister", "agent_uuid": agent["id"]}
        await stranger.invoke_bridge(forged)
        await until_inbox_is_empty(system, user)
        assert await is_active(user, agent["id"]) is True


async def test_what_an_agent_says_is_not_shown_to_other_users(
    system: System, user: User, other_user: User
) -> None:
    agent = await user.register_agent("secret", "plans")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("secret", "plans")
        await until_active(user, agent["id"])
        listed = await other_user.http.get("/api/agents")
        active = await other_user.http.get("/api/agents/active")
    assert agent["id"] not in json.dumps([listed.json(), active.json()])
