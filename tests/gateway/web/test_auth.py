"""Credentials in every shape; whom each route lets in is in `ownership/`."""

import time
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from shared.tokens import issue_agent_token, issue_user_token
from tests.gateway.shapes import faults, good, refused
from tests.sql import Sql
from tests.system import BE_KEY, ML_KEY, SERVICE_KEY, System
from tests.users import User

SERVICE = "/api/agents/active"

NOBODY = "Not authenticated"
DEAD = "Token is not valid or expired. Please log in again"


def assert_unauthorized(answer: httpx2.Response, detail: str) -> None:
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json() == {"detail": detail}


async def test_credentials_come_before_the_body(visitor: httpx2.AsyncClient) -> None:
    assert_unauthorized(await visitor.post("/api/chats", content=b"{"), "Not authenticated")


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "token", "", "Bearertoken"])
async def test_another_scheme_is_none(visitor: httpx2.AsyncClient, header: str) -> None:
    answer = await visitor.get("/api/chats", headers={"Authorization": header})
    assert_unauthorized(answer, "Not authenticated")


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Bearer \xe9", "bearer a.b.c"])
async def test_a_token_that_is_none_is_dead(visitor: httpx2.AsyncClient, header: str) -> None:
    headers = httpx2.Headers({b"Authorization": header.encode("latin-1")})
    answer = await visitor.get("/api/chats", headers=headers)
    assert_unauthorized(answer, DEAD)


async def test_the_scheme_may_be_in_lower_case(reader: User, visitor: httpx2.AsyncClient) -> None:
    headers = {"Authorization": f"bearer {reader.token}"}
    good(await visitor.get("/api/chats", headers=headers))


ODD: dict[str, dict[str, Any]] = {
    "expired": {"exp": 1},
    "no exp": {"exp": None},
    "sub no UUID": {"sub": "x"},
    "sub an integer": {"sub": 5},
    "not yet": {"nbf": time.time() + 86_400},
    "sub a stranger": {"sub": str(uuid4())},
    "exp a text": {"exp": "x"},
}


@pytest.mark.parametrize("claims", ODD.values(), ids=ODD.keys())
async def test_a_token_of_ours_with_odd_claims_is_dead(
    reader: User, visitor: httpx2.AsyncClient, system: System, claims: dict[str, Any]
) -> None:
    whole = {"sub": reader.id, "exp": int(time.time()) + 600, **claims}
    given = {name: value for name, value in whole.items() if value is not None}
    token = jwt.encode({"alg": "HS256"}, given, OctKey.import_key(system.settings.secret_key))
    headers = {"Authorization": f"Bearer {token}"}
    assert_unauthorized(await visitor.get("/api/chats", headers=headers), DEAD)


@pytest.mark.parametrize(
    "end", ["DELETE FROM users WHERE id = %s", "UPDATE users SET locked_at = now() WHERE id = %s"]
)
async def test_a_token_of_before_sign_ins_is_dead_when_its_user_is_out(
    user: User, system: System, sql: Sql, end: str
) -> None:
    old = issue_user_token(system.settings.secret_key, UUID(user.id))
    headers = {"Authorization": f"Bearer {old}"}
    assert (await user.http.get("/api/chats", headers=headers)).status_code == 200
    sql(end, user.id)
    assert_unauthorized(await user.http.get("/api/chats", headers=headers), DEAD)


async def test_an_agents_token_in_another_users_name_is_dead(
    user: User, reader: User, visitor: httpx2.AsyncClient, system: System
) -> None:
    agent = await user.register_agent("adder", "adds")
    token = issue_agent_token(system.settings.secret_key, UUID(agent["id"]), UUID(reader.id))
    headers = {"Authorization": f"Bearer {token}"}
    assert_unauthorized(await visitor.get("/api/agents", headers=headers), DEAD)


@pytest.mark.parametrize(
    "key",
    [None, "", "wrong", BE_KEY, ML_KEY, SERVICE_KEY[:-1], f"{SERVICE_KEY}x", "é"],
    ids=["none", "empty", "wrong", "the router's", "the master agent's", "shorter", "longer", "é"],
)
async def test_a_service_with_a_wrong_key_gets_nothing(
    reader: User, visitor: httpx2.AsyncClient, key: str | None
) -> None:
    headers = httpx2.Headers({} if key is None else {b"x-api-key": key.encode("latin-1")})
    answer = await visitor.get(SERVICE, params={"user_id": reader.id}, headers=headers)
    assert_unauthorized(answer, "Not authenticated")


async def ask_as_service(visitor: httpx2.AsyncClient, user_id: str) -> httpx2.Response:
    return await visitor.get(
        SERVICE, params={"user_id": user_id}, headers={"x-api-key": SERVICE_KEY}
    )


async def test_without_a_key_of_their_own_services_have_the_router_s_and_the_log_warns(
    reader: User, module_system: System
) -> None:
    gateway = module_system.start_gateway(SERVICE_API_KEY="")
    query = {"user_id": reader.id}
    async with httpx2.AsyncClient(base_url=module_system.gateways[-1]) as visitor:
        for key, detail in ((BE_KEY, f"User '{reader.id}' does not exist"), (SERVICE_KEY, NOBODY)):
            answer = await visitor.get(SERVICE, params=query, headers={"x-api-key": key})
            assert answer.json()["detail"] == detail
    assert "SERVICE_API_KEY is not set" in gateway.log.read_text()


async def test_with_a_key_of_services_a_gateway_wants_none_of_the_router(
    module_system: System, reader: User
) -> None:
    gateway = module_system.start_gateway(MASTER_BE_API_KEY="")
    headers = {"x-api-key": SERVICE_KEY}
    async with httpx2.AsyncClient(base_url=module_system.gateways[-1]) as visitor:
        answer = await visitor.get(SERVICE, params={"user_id": reader.id}, headers=headers)
    assert "does not exist" in refused(answer)
    assert "SERVICE_API_KEY is not set" not in gateway.log.read_text()


@pytest.mark.parametrize("user_id", ["abc", "", "\x00"])
async def test_the_user_id_of_a_service_is_a_uuid(
    visitor: httpx2.AsyncClient, user_id: str
) -> None:
    answer = await ask_as_service(visitor, user_id)
    assert faults(answer) == [("uuid_parsing", ["query", "user_id"])]


async def test_a_user_id_that_nobody_has_is_named(visitor: httpx2.AsyncClient) -> None:
    nobody = str(uuid4())
    assert nobody in refused(await ask_as_service(visitor, nobody))
