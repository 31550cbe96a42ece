"""Tokens of agents: one at a time, each as long as was asked, through the real gateway."""

import asyncio
import time
from typing import Any
from uuid import UUID

import httpx2
import jwt
import pytest

from gateway.agents.schemas import LEAST_SECONDS, MOST_SECONDS
from shared.tokens import AGENT_TOKEN_EXPIRY, issue_agent_token
from tests.gateway.shapes import REGISTERED_AGENT, assert_shape, faults, good, refused, told
from tests.sql import Sql
from tests.system import System
from tests.users import Json, User

ENDLESS: list[Json] = [{}, {"json": {}}, {"json": {"expires_in": None}}]


def path_of(agent: Json) -> str:
    return f"/api/agents/{agent['id']}/token"


async def renew(user: User, agent: Json, **body: Any) -> Json:
    renewed: Json = good(await user.http.post(path_of(agent), **body))
    return renewed


async def call_as(visitor: httpx2.AsyncClient, token: str) -> int:
    """The status of an agent's call with this token."""
    headers = {"Authorization": f"Bearer {token}"}
    return (await visitor.get("/api/agents", headers=headers)).status_code


def expiry(agent: Json) -> int:
    claims = jwt.decode(agent["jwt"], options={"verify_signature": False})
    return int(claims["exp"])


async def test_a_new_token_ends_the_old_one_at_once(
    user: User, visitor: httpx2.AsyncClient
) -> None:
    agent = await user.register_agent("mine", "mine")
    assert await call_as(visitor, agent["jwt"]) == 200
    renewed = await renew(user, agent)
    assert_shape(renewed, REGISTERED_AGENT)
    assert renewed == {**agent, "jwt": renewed["jwt"], "updated_at": renewed["updated_at"]}
    assert await call_as(visitor, agent["jwt"]) == 401
    assert await call_as(visitor, renewed["jwt"]) == 200
    assert (await user.read_agent(agent["id"]))["agent_jwt"] == renewed["jwt"]


async def test_a_token_that_was_replaced_is_not_valid(user: User) -> None:
    agent = await user.register_agent()
    await renew(user, agent)
    answer = await user.http.post("/api/validate-token", json={"token": agent["jwt"]})
    refused(answer)


async def test_of_many_tokens_at_once_one_is_good(user: User, visitor: httpx2.AsyncClient) -> None:
    agent = await user.register_agent("mine", "mine")
    renewed = await asyncio.gather(*(renew(user, agent) for _ in range(8)))
    tokens = {agent["jwt"], *(each["jwt"] for each in renewed)}
    assert len(tokens) == 9
    found = [await call_as(visitor, token) for token in tokens]
    assert sorted(found) == [200] + [401] * 8


async def test_a_token_of_ours_that_is_not_stored_is_dead(
    user: User, visitor: httpx2.AsyncClient, system: System
) -> None:
    agent = await user.register_agent("mine", "mine")
    token = issue_agent_token(system.settings.secret_key, UUID(agent["id"]), UUID(user.id))
    assert await call_as(visitor, token) == 401
    assert await call_as(visitor, agent["jwt"]) == 200


async def test_a_token_of_the_original_is_good_until_it_is_replaced(
    user: User, visitor: httpx2.AsyncClient, system: System, sql: Sql
) -> None:
    agent = await user.register_agent("old", "old")
    claims = {"sub": agent["id"], "exp": AGENT_TOKEN_EXPIRY, "user_id": user.id}
    token = jwt.encode(claims, system.settings.secret_key, "HS256")
    sql("UPDATE agents SET jwt = %s WHERE id = %s", token, agent["id"])
    assert await call_as(visitor, token) == 200
    renewed = await renew(user, agent)
    assert await call_as(visitor, token) == 401
    assert await call_as(visitor, renewed["jwt"]) == 200


async def test_an_agent_with_a_new_token_is_inactive(user: User, sql: Sql) -> None:
    agent = await user.register_agent("on", "on")
    sql("UPDATE agents SET is_active = true WHERE id = %s", agent["id"])
    await renew(user, agent)
    assert (await user.read_agent(agent["id"]))["is_active"] is False
    active = good(await user.http.get("/api/agents/active"))
    assert active["count_active_connections"] == 0


async def test_an_agent_issues_no_token(user: User, visitor: httpx2.AsyncClient) -> None:
    agent = await user.register_agent("mine", "mine")
    headers = {"Authorization": f"Bearer {agent['jwt']}"}
    assert (await visitor.post(path_of(agent), headers=headers)).status_code == 401
    assert await call_as(visitor, agent["jwt"]) == 200


async def test_a_new_token_lives_as_long_as_is_wanted(user: User) -> None:
    agent = await user.register_agent()
    for seconds in (LEAST_SECONDS, MOST_SECONDS, "3600"):
        renewed = await renew(user, agent, json={"expires_in": seconds})
        assert abs(expiry(renewed) - time.time() - int(seconds)) < 30


@pytest.mark.parametrize("body", ENDLESS, ids=str)
async def test_a_new_token_lives_as_long_as_its_agent_otherwise(user: User, body: Json) -> None:
    assert expiry(await renew(user, await user.register_agent(), **body)) == AGENT_TOKEN_EXPIRY


@pytest.mark.parametrize("seconds", [60, None])
async def test_the_first_token_lives_as_long_as_is_wanted(user: User, seconds: int | None) -> None:
    new: Json = {"name": "", "description": "", "input_parameters": {}}
    answer = await user.http.post("/api/agents/register", json={**new, "expires_in": seconds})
    agent = good(answer)
    if seconds is None:
        assert expiry(agent) == AGENT_TOKEN_EXPIRY
    else:
        assert abs(expiry(agent) - time.time() - seconds) < 30


@pytest.mark.parametrize(
    "seconds", [LEAST_SECONDS - 1, MOST_SECONDS + 1, 0, -1, 2**70, 60.5, "soon", True, [], {}]
)
async def test_another_time_is_refused_by_a_sentence(user: User, seconds: object) -> None:
    agent = await user.register_agent("mine", "mine")
    bad = {"expires_in": seconds}
    told(await user.http.post(path_of(agent), json=bad), "expires_in")
    new: Json = {"name": "", "description": "", "input_parameters": {}, **bad}
    told(await user.http.post("/api/agents/register", json=new), "expires_in")
    assert (await user.read_agent(agent["id"]))["agent_jwt"] == agent["jwt"]


@pytest.mark.parametrize("content", [b"null", b"[]", b"60", b"{"])
async def test_what_is_no_object_is_malformed(user: User, content: bytes) -> None:
    agent = await user.register_agent()
    [(_, [place, *_])] = faults(await user.http.post(path_of(agent), content=content))
    assert place == "body"


async def test_an_expired_token_is_dead(
    user: User, visitor: httpx2.AsyncClient, system: System, sql: Sql
) -> None:
    agent = await user.register_agent("mine", "mine")
    ids = UUID(agent["id"]), UUID(user.id)
    token = issue_agent_token(system.settings.secret_key, *ids, expires_in=-1)
    sql("UPDATE agents SET jwt = %s WHERE id = %s", token, agent["id"])
    assert await call_as(visitor, token) == 401
    renewed = await renew(user, agent)
    assert await call_as(visitor, renewed["jwt"]) == 200
