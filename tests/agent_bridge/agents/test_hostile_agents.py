"""Agents and strangers at the router that say too much, or what should not be believed."""

import json
from typing import Any
from uuid import uuid4

import jwt
import pytest

from agent_bridge.agents.registry import DESCRIPTION_LIMIT
from agent_bridge.logs.store import CUT_MARK, MESSAGE_LIMIT
from shared.domain.agents import DETAILS_LIMIT, TOO_LARGE
from tests.agent_bridge.actors import (
    SCHEMA,
    connected_agent,
    is_active,
    until_active,
    until_inbox_is_empty,
)
from tests.agent_bridge.stored import Row, select_logs
from tests.master import Invocation, Master, answer
from tests.system import BE_KEY, System
from tests.users import User, eventually

FORGED = "2026-01-01 00:00:00 CRITICAL forged"


def _token(name: str) -> str:
    """A token that the router reads and nobody else believes."""
    return jwt.encode({"sub": name}, "a key of nobody that is long enough!", "HS256")


async def test_an_agent_whose_schema_is_over_64_kib_is_refused_and_told(
    system: System, user: User
) -> None:
    agent = await user.register_agent("large", "large")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("large", "large", {"a": "x" * DETAILS_LIMIT})
        told = await connection.receive()
    assert told["error"]["error_message"] == TOO_LARGE
    assert await is_active(user, agent["id"]) is False


async def test_a_refused_schema_is_not_stored(system: System, user: User) -> None:
    agent = await user.register_agent("large", "large")
    before = await user.read_agent(agent["id"])
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("large", "large", {"a": "x" * DETAILS_LIMIT})
        await connection.receive()
    assert await user.read_agent(agent["id"]) == before


async def test_a_schema_just_below_64_kib_is_stored(system: System, user: User) -> None:
    agent = await user.register_agent("fits", "fits")
    schema = {**SCHEMA, "a": "x" * (DETAILS_LIMIT - 1000)}
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("fits", "fits", schema)
        await until_active(user, agent["id"])
        assert (await user.read_agent(agent["id"]))["agent_schema"]["a"] == schema["a"]


async def test_a_long_description_is_cut(system: System, user: User) -> None:
    agent = await user.register_agent("wordy", "wordy")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("wordy", "word " * 10_000)
        await until_active(user, agent["id"])
        stored = (await user.read_agent(agent["id"]))["agent_description"]
    assert stored == ("word " * 10_000)[:DESCRIPTION_LIMIT]


async def test_an_agent_is_not_registered_over_rest_with_a_schema_over_64_kib(user: User) -> None:
    schema = {"a": "x" * DETAILS_LIMIT}
    new = {"name": "large", "description": "large", "input_parameters": schema}
    assert (await user.http.post("/api/agents/register", json=new)).status_code == 400


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028"])
async def test_a_token_with_a_line_break_writes_no_line_of_its_own_into_the_log(
    end: str, system: System, user: User
) -> None:
    async with connected_agent(system, _token(f"x{end}{FORGED} {uuid4()}")) as connection:
        await connection.register()
        await until_inbox_is_empty(system, user)
    lines = system.log_of("bridge 1").splitlines()
    assert lines
    assert all(isinstance(json.loads(line), dict) for line in lines)


@pytest.mark.parametrize("name", ["中", "ä", "x\n", "x" * 4000])
async def test_a_token_of_an_odd_name_does_not_bring_the_bridge_s_key_into_its_log(
    name: str, system: System, user: User
) -> None:
    async with connected_agent(system, _token(name)) as connection:
        await connection.register()
        await until_inbox_is_empty(system, user)
    assert BE_KEY not in system.log_of("bridge 1")


async def _create_100_secrets(user: User) -> list[str]:
    """Two configs with 50 credentials each, for the provider that the user has."""
    secrets = [f"{'a' * 16}{number:03}" for number in range(100)]
    for half in (secrets[:50], secrets[50:]):
        new: dict[str, Any] = {
            "name": f"config from {half[0]}",
            "model": "m",
            "provider": "provider of config",
            "credentials": {f"key{number}": secret for number, secret in enumerate(half)},
        }
        created = await user.http.post("/api/llm/model/config", json=new)
        assert created.status_code == 200, created.text
    return secrets


async def _stored_entry(system: System, session_id: str) -> Row:
    """The one log entry of a session, once it is stored."""

    async def holds() -> bool:
        return len(select_logs(system, session_id)) == 1

    await eventually(holds, "the entry is stored")
    [row] = select_logs(system, session_id)
    return row


async def test_a_log_entry_of_400_kb_is_cut_and_stored_for_a_user_with_100_secrets(
    system: System, user: User, master: Master
) -> None:
    await _create_100_secrets(user)

    async def behave(invocation: Invocation) -> object:
        await invocation.log("a" * 400_000)
        return answer("ok")

    master.behave = behave
    async with user.chat() as chat:
        await chat.ask("hello")
        row = await _stored_entry(system, chat.session_id)
    assert len(row["message"]) == MESSAGE_LIMIT
    assert row["message"] == "a" * (MESSAGE_LIMIT - len(CUT_MARK)) + CUT_MARK


async def test_100_secrets_of_a_request_are_redacted_but_for_the_last(
    system: System, user: User, master: Master
) -> None:
    secrets = await _create_100_secrets(user)

    async def behave(invocation: Invocation) -> object:
        await invocation.log(json.dumps(secrets))
        return answer("ok")

    master.behave = behave
    async with user.chat() as chat:
        await chat.ask("hello")
        row = await _stored_entry(system, chat.session_id)
    # One of the 100 that are looked for is the provider's own key.
    assert len([secret for secret in secrets if secret in row["message"]]) <= 1
