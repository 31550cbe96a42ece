"""Whom each kind of route lets in."""

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from shared.tokens import issue_agent_token
from tests.gateway.conftest import Sql
from tests.gateway.shapes import faults, good, refused
from tests.system import BE_KEY, ML_KEY, System
from tests.users import User

USER_ONLY = ["/api/chats", "/api/logs/list?session_id=x", "/api/llm/model/configs"]
NOBODYS = "4f1f8f0a-6d0e-4d3c-9a51-7f2f6f3a0b1d"
EITHER = ["/api/agents", f"/api/agents/{NOBODYS}", "/api/agents/active"]
SERVICE = ["/api/agents/active", f"/api/chat?session_id={NOBODYS}"]
CLOSED = [*USER_ONLY, "/api/agents", f"/api/agents/{NOBODYS}"]

NO_CALLER = "You must provide either 'user_id' or your jwt token to continue."
NO_LOOKUP = "Lookup by user_id is not allowed for plain authenticated users."
TWO_CALLERS = "You must provide either 'user_id' or your jwt token, but not both at the same time."
DEAD = "Token is not valid or expired. Please log in again"


def assert_unauthorized(answer: httpx2.Response, detail: str) -> None:
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json() == {"detail": detail}


@pytest.mark.parametrize("path", CLOSED)
async def test_without_a_header_nobody_gets_in(visitor: httpx2.AsyncClient, path: str) -> None:
    assert_unauthorized(await visitor.get(path), "Not authenticated")


@pytest.mark.parametrize(
    "path",
    ["agents/register", "chats", "llm/model/provider", "llm/model/config", "llms/model_config"],
)
async def test_credentials_come_before_the_body(visitor: httpx2.AsyncClient, path: str) -> None:
    assert_unauthorized(await visitor.post(f"/api/{path}", content=b"{"), "Not authenticated")


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
    "not yet": {"nbf": time.time() + 600},
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


async def test_the_token_of_a_deleted_user_is_dead(user: User, sql: Sql) -> None:
    sql("DELETE FROM users WHERE id = %s", user.id)
    assert_unauthorized(await user.http.get("/api/chats"), DEAD)


@pytest.fixture
async def agent_header(user: User) -> Mapping[str, str]:
    """The header of an agent of the user."""
    agent = await user.register_agent("adder", "adds")
    return {"Authorization": f"Bearer {agent['jwt']}"}


@pytest.mark.parametrize("path", ["/api/agents", "/api/agents/active"])
async def test_an_agents_token_is_taken_where_agents_may_go(
    visitor: httpx2.AsyncClient, agent_header: Mapping[str, str], path: str
) -> None:
    good(await visitor.get(path, headers=agent_header))


async def test_an_agent_reads_its_creators_agents(
    user: User, visitor: httpx2.AsyncClient, agent_header: Mapping[str, str]
) -> None:
    other = await user.register_agent("other", "helps")
    answer = await visitor.get(f"/api/agents/{other['id']}", headers=agent_header)
    assert good(answer)["agent_id"] == other["id"]


@pytest.mark.parametrize("path", [*USER_ONLY, SERVICE[1]])
async def test_an_agents_token_is_dead_elsewhere(
    visitor: httpx2.AsyncClient, agent_header: Mapping[str, str], path: str
) -> None:
    assert_unauthorized(await visitor.get(path, headers=agent_header), DEAD)


@pytest.mark.parametrize(
    "path", ["agents/register", "chats", "llm/model/provider", "llm/model/config"]
)
async def test_an_agent_makes_nothing(
    visitor: httpx2.AsyncClient, agent_header: Mapping[str, str], path: str
) -> None:
    assert_unauthorized(await visitor.post(f"/api/{path}", headers=agent_header, json={}), DEAD)


@pytest.mark.parametrize("path", EITHER)
async def test_the_token_of_a_deleted_agent_is_dead(
    user: User, sql: Sql, visitor: httpx2.AsyncClient, path: str
) -> None:
    agent = await user.register_agent("adder", "adds")
    sql("DELETE FROM agents WHERE id = %s", agent["id"])
    headers = {"Authorization": f"Bearer {agent['jwt']}"}
    assert_unauthorized(await visitor.get(path, headers=headers), DEAD)


async def test_an_agents_token_in_another_users_name_is_dead(
    user: User, reader: User, visitor: httpx2.AsyncClient, system: System
) -> None:
    agent = await user.register_agent("adder", "adds")
    token = issue_agent_token(system.settings.secret_key, UUID(agent["id"]), UUID(reader.id))
    headers = {"Authorization": f"Bearer {token}"}
    assert_unauthorized(await visitor.get("/api/agents", headers=headers), DEAD)


async def ask(
    visitor: httpx2.AsyncClient, path: str, user_id: str | None = None, **headers: str
) -> httpx2.Response:
    url = httpx2.URL(path)
    if user_id is not None:
        url = url.copy_merge_params({"user_id": user_id})
    return await visitor.get(
        url, headers={name.replace("_", "-"): v for name, v in headers.items()}
    )


@pytest.mark.parametrize("path", SERVICE)
async def test_a_service_acts_for_the_user_it_names(
    reader: User, visitor: httpx2.AsyncClient, path: str
) -> None:
    good(await ask(visitor, path, reader.id, x_api_key=BE_KEY))


@pytest.mark.parametrize("path", SERVICE)
@pytest.mark.parametrize(
    "key", [None, "", "wrong", ML_KEY, BE_KEY[:-1], f"{BE_KEY}x", BE_KEY.upper(), "é"]
)
async def test_a_service_with_a_wrong_key_gets_nothing(
    reader: User, visitor: httpx2.AsyncClient, path: str, key: str | None
) -> None:
    url = httpx2.URL(path).copy_merge_params({"user_id": reader.id})
    headers = httpx2.Headers({} if key is None else {b"x-api-key": key.encode("latin-1")})
    assert_unauthorized(await visitor.get(url, headers=headers), "Not authenticated")


@pytest.mark.parametrize("path", SERVICE)
async def test_a_token_without_a_user_id_is_taken_from_users_too(
    reader: User, visitor: httpx2.AsyncClient, path: str
) -> None:
    good(await ask(visitor, path, Authorization=f"Bearer {reader.token}"))


@pytest.mark.parametrize("path", SERVICE)
@pytest.mark.parametrize("headers", [{}, {"x_api_key": BE_KEY}], ids=["nothing", "key only"])
async def test_neither_a_token_nor_a_user_id_is_refused(
    visitor: httpx2.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    assert refused(await ask(visitor, path, None, **headers)) == NO_CALLER


@pytest.mark.parametrize("path", SERVICE)
@pytest.mark.parametrize(
    ("headers", "detail"),
    [({}, NO_LOOKUP), ({"x_api_key": BE_KEY}, TWO_CALLERS), ({"x_api_key": "x"}, TWO_CALLERS)],
    ids=["no key", "key", "wrong key"],
)
async def test_both_a_token_and_a_user_id_are_refused(
    reader: User, visitor: httpx2.AsyncClient, path: str, headers: dict[str, str], detail: str
) -> None:
    both = {"Authorization": f"Bearer {reader.token}", **headers}
    assert refused(await ask(visitor, path, reader.id, **both)) == detail


@pytest.mark.parametrize("path", SERVICE)
async def test_a_dead_token_of_a_user_is_dead_here_too(
    visitor: httpx2.AsyncClient, path: str
) -> None:
    assert_unauthorized(await ask(visitor, path, Authorization="Bearer x"), DEAD)


@pytest.mark.parametrize("path", SERVICE)
@pytest.mark.parametrize("user_id", ["abc", "", "\x00"])
async def test_the_user_id_of_a_service_is_a_uuid(
    visitor: httpx2.AsyncClient, path: str, user_id: str
) -> None:
    answer = await ask(visitor, path, user_id, x_api_key=BE_KEY)
    assert faults(answer) == [("uuid_parsing", ["query", "user_id"])]


@pytest.mark.parametrize("path", SERVICE)
async def test_a_user_id_that_nobody_has_is_named(visitor: httpx2.AsyncClient, path: str) -> None:
    nobody = str(uuid4())
    assert nobody in refused(await ask(visitor, path, nobody, x_api_key=BE_KEY))


@pytest.mark.parametrize("path", ["/api/chats", "/api/agents"])
async def test_a_service_key_opens_no_other_route(
    reader: User, visitor: httpx2.AsyncClient, path: str
) -> None:
    answer = await ask(visitor, path, reader.id, x_api_key=BE_KEY)
    assert_unauthorized(answer, "Not authenticated")


async def test_a_service_sees_the_history_of_the_user_it_names_only(
    user: User, other_user: User, visitor: httpx2.AsyncClient
) -> None:
    async with user.chat() as chat:
        await chat.ask("hello")
    path = f"/api/chat?session_id={chat.session_id}"
    counts = [
        good(await ask(visitor, path, someone.id, x_api_key=BE_KEY))["total_count"]
        for someone in (user, other_user)
    ]
    assert counts == [2, 0]
