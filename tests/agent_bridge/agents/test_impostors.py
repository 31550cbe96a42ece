"""Whoever takes an agent's place at the router, which checks no token, and registers or logs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import jwt
import pytest

from shared.domain.agents import DETAILS_LIMIT
from tests.agent_bridge.actors import (
    RouterClient,
    connected_agent,
    is_active,
    until_active,
    until_inactive,
)
from tests.agent_bridge.broken import keep_bridges, living_bridges, until_heard
from tests.agent_bridge.stored import execute, insert_left_request, select, select_logs
from tests.system import System
from tests.users import Json, User, eventually

REPLACED_SECONDS = 5.0
EVER = 253402300799  # the last second of the year 9999


def _forged(agent: Json) -> str:
    """A token that the router reads and nobody else believes."""
    return jwt.encode(
        {"sub": agent["id"], "exp": EVER}, "a key of nobody that is long enough!", "HS256"
    )


@asynccontextmanager
async def _registered(system: System, user: User) -> AsyncIterator[tuple[Json, RouterClient]]:
    """An agent of the user that is connected and active."""
    agent = await user.register_agent("honest", "is who it says")
    async with connected_agent(system, agent["jwt"]) as connection:
        await connection.register("honest", "is who it says")
        await until_active(user, agent["id"])
        yield agent, connection


async def _replace_bridge(system: System, owner: User) -> None:
    """Another bridge leads, and has asked the router who is there."""
    keep_bridges(system, 0)
    keep_bridges(system, 1)
    [bridge] = living_bridges(system)

    async def has_asked() -> bool:
        return "the router was asked about" in bridge.log.read_text()

    await eventually(has_asked, "the router was asked", REPLACED_SECONDS)
    await until_heard(system, owner, REPLACED_SECONDS)


@pytest.fixture
def session_id() -> str:
    return str(uuid4())


@pytest.fixture
def request_id(running: System, owner: User, session_id: str) -> str:
    """A request of the owner, in that session."""
    request_id = str(uuid4())
    insert_left_request(running, owner.id, session_id, request_id, was_sent=True)
    return request_id


async def _messages(system: System, owner: User, session_id: str, request_id: str) -> list[str]:
    """What has been logged there before; a witness logs last."""
    witness, mark = await owner.register_agent("witness", "logs last"), f"mark {uuid4()}"

    def logged() -> list[str]:
        return [row["message"] for row in select_logs(system, session_id)]

    async def is_marked() -> bool:
        return mark in logged()

    async with connected_agent(system, witness["jwt"]) as connection:
        await connection.register()
        await connection.log(mark, session_id, request_id)
        await eventually(is_marked, "what the witness logs is stored")
    return [message for message in logged() if not message.startswith("mark ")]


async def test_an_agent_whose_place_somebody_takes_with_a_forged_token_is_inactive(
    system: System, user: User
) -> None:
    async with (
        _registered(system, user) as (agent, _),
        connected_agent(system, _forged(agent)) as impostor,
    ):
        await impostor.register("honest", "is who it says")
        await until_inactive(user, agent["id"])
        listed = (await user.http.get("/api/agents/active")).json()["active_connections"]
    assert listed == []


async def test_an_agent_that_registers_with_too_much_is_inactive(
    system: System, user: User
) -> None:
    async with _registered(system, user) as (agent, connection):
        await connection.register("honest", "large", {"a": "x" * DETAILS_LIMIT})
        await until_inactive(user, agent["id"])


async def test_an_agent_that_registers_with_another_user_s_token_is_inactive(
    system: System, user: User, other_user: User
) -> None:
    async with _registered(system, user) as (agent, _):
        claims = {"sub": agent["id"], "user_id": other_user.id, "exp": EVER}
        token = jwt.encode(claims, system.settings.secret_key, "HS256")
        async with connected_agent(system, token) as impostor:
            await impostor.register("honest", "is who it says")
            await until_inactive(user, agent["id"])


async def test_a_doubtful_agent_stays_inactive_over_a_change_of_leader_until_it_registers_well(
    running: System, owner: User
) -> None:
    async with _registered(running, owner) as (agent, _):
        async with connected_agent(running, _forged(agent)) as impostor:
            await impostor.register("honest", "is who it says")
            await until_inactive(owner, agent["id"])
            await _replace_bridge(running, owner)
            assert await is_active(owner, agent["id"]) is False
        async with connected_agent(running, agent["jwt"]) as again:
            await again.register("honest", "is who it says")
            await until_active(owner, agent["id"])
            await _replace_bridge(running, owner)
            assert await is_active(owner, agent["id"]) is True


async def test_whoever_was_refused_logs_nothing(
    running: System, owner: User, session_id: str, request_id: str
) -> None:
    async with _registered(running, owner) as (agent, connection):
        await connection.log("mine", session_id, request_id)
        async with connected_agent(running, _forged(agent)) as impostor:
            await impostor.register("honest", "is who it says")
            await impostor.log("at once", session_id, request_id)
            await until_inactive(owner, agent["id"])
            await impostor.log("later", session_id, request_id)
            assert await _messages(running, owner, session_id, request_id) == ["mine"]
            await _replace_bridge(running, owner)
            await impostor.log("to the next leader", session_id, request_id)
            assert await _messages(running, owner, session_id, request_id) == ["mine"]


async def test_whoever_only_connects_as_an_agent_that_has_left_logs_nothing(
    running: System, owner: User, session_id: str, request_id: str
) -> None:
    async with _registered(running, owner) as (agent, connection):
        await connection.log("last words", session_id, request_id)
    async with connected_agent(running, _forged(agent)) as impostor:
        await impostor.log("stolen", session_id, request_id)
        assert await _messages(running, owner, session_id, request_id) == ["last words"]


async def test_whoever_connects_as_an_agent_that_has_never_registered_logs_nothing(
    running: System, owner: User, session_id: str, request_id: str
) -> None:
    agent = await owner.register_agent("new", "was never there")
    async with connected_agent(running, _forged(agent)) as impostor:
        await impostor.log("stolen", session_id, request_id)
        await _replace_bridge(running, owner)
        assert await is_active(owner, agent["id"]) is True  # the router's word
        await impostor.log("stolen", session_id, request_id)
        assert await _messages(running, owner, session_id, request_id) == []


async def test_an_agent_that_stays_over_a_change_of_leader_goes_on_logging(
    running: System, owner: User, session_id: str, request_id: str
) -> None:
    async with _registered(running, owner) as (_, connection):
        await connection.log("to the first", session_id, request_id)
        assert await _messages(running, owner, session_id, request_id) == ["to the first"]
        await _replace_bridge(running, owner)
        await connection.log("to the second", session_id, request_id)
    assert await _messages(running, owner, session_id, request_id) == [
        "to the first",
        "to the second",
    ]


async def test_agents_of_before_are_believed_until_one_is_refused(
    running: System, owner: User, session_id: str, request_id: str
) -> None:
    agent = await owner.register_agent("old", "from before")
    execute(running, "UPDATE agents SET is_verified = true WHERE id = %s", agent["id"])
    async with connected_agent(running, agent["jwt"]) as connection:
        await _replace_bridge(running, owner)
        await until_active(owner, agent["id"])
        await connection.log("of before", session_id, request_id)
        assert await _messages(running, owner, session_id, request_id) == ["of before"]
    [row] = select(running, "SELECT is_verified FROM agents WHERE id = %s", agent["id"])
    assert row == {"is_verified": True}
