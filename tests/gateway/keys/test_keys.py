"""API keys through the real gateway: how they are made, what they open and how they end."""

from typing import Any
from uuid import uuid4

import httpx2
import pytest
from websockets.asyncio.client import connect

from gateway.keys import format as keys_format
from tests.gateway.shapes import faults, good, refused
from tests.sql import Sql, run_sql
from tests.system import Stores
from tests.users import User, eventually, insert_user

KEYS = "/api/keys"
DEAD = "Token is not valid or expired. Please log in again"


async def make_key(user: User, *scopes: str, **others: Any) -> dict[str, Any]:
    """What is told of a new key, itself included."""
    new = {"name": "mine", "scopes": scopes or ["chat"], **others}
    made: dict[str, Any] = good(await user.http.post(KEYS, json=new))
    return made


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def status(user: User, key: str, path: str = "/api/chats") -> int:
    answer = await user.http.get(path, headers=bearer(key))
    return answer.status_code


async def test_a_key_is_shown_once_and_its_hash_alone_is_stored(user: User, sql: Sql) -> None:
    made = await make_key(user, "chat", "read", "chat", networks=["127.0.0.0/8"], expires_in=60)
    key = made.pop("key")
    assert keys_format.is_whole(key)
    assert (made["scopes"], made["networks"]) == (["chat", "read"], ["127.0.0.0/8"])
    assert key.startswith(made["start"])
    assert len(made["start"]) == 10
    [listed] = good(await user.http.get(KEYS))
    assert listed == {**made, "used_at": None, "used_address": None}
    [row] = sql("SELECT to_jsonb(api_keys)::text AS row FROM api_keys WHERE id = %s", made["id"])
    assert key not in row["row"]
    assert await status(user, key) == 200


async def test_keys_are_listed_newest_first_and_renamed(user: User) -> None:
    first, second = [await make_key(user, name=name) for name in ("first", "second")]
    renamed = good(await user.http.patch(f"{KEYS}/{first['id']}", json={"name": "third"}))
    assert renamed["name"] == "third"
    listed = good(await user.http.get(KEYS))
    assert [each["name"] for each in listed] == [second["name"], "third"]
    assert await status(user, first["key"]) == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": ["read"] * 5},
        {"networks": ["somewhere"]},
        {"networks": ["127.0.0.1"] * 33},
        {"expires_in": 59},
        {"expires_in": 10**9},
    ],
    ids=str,
)
async def test_what_makes_no_key_is_refused(user: User, wrong: dict[str, Any]) -> None:
    answer = await user.http.post(KEYS, json={"name": "mine", "scopes": ["chat"], **wrong})
    assert faults(answer) if answer.status_code == 422 else refused(answer)
    assert good(await user.http.get(KEYS)) == []


async def test_only_an_administrator_makes_keys_for_administrators(user: User, sql: Sql) -> None:
    new = {"name": "mine", "scopes": ["read", "admin"]}
    sentence = "Only an administrator's key can have the scope 'admin'"
    assert refused(await user.http.post(KEYS, json=new)) == sentence
    sql("UPDATE users SET role = 'admin' WHERE id = %s", user.id)
    assert (await make_key(user, "read", "admin"))["scopes"] == ["read", "admin"]


async def test_a_key_and_an_agent_make_no_keys(user: User) -> None:
    key = (await make_key(user, "chat", "read", "agents"))["key"]
    agent = await user.register_agent("maker", "makes")
    new = {"name": "more", "scopes": ["read"]}
    answer = await user.http.post(KEYS, json=new, headers=bearer(key))
    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        "API keys are not let in here: please log in",
    )
    assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope"'
    answer = await user.http.post(KEYS, json=new, headers=bearer(agent["jwt"]))
    assert answer.status_code == 401
    assert len(good(await user.http.get(KEYS))) == 1


SENTENCE = "This wants an API key with the scope 'chat'"
ALL_CHAT = 'Bearer error="insufficient_scope", scope="chat"'
RPC = {"jsonrpc": "2.0", "id": 7, "method": "tools/list"}


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/api/chats", {"session_id": str(uuid4()), "title": "x"}, {"detail": SENTENCE}),
        ("/ag-ui", {"threadId": "x"}, {"detail": SENTENCE}),
        (
            "/v1/chat/completions",
            {"model": "x"},
            {
                "error": {
                    "message": SENTENCE,
                    "type": "invalid_request_error",
                    "param": None,
                    "code": "missing_scope",
                }
            },
        ),
        (
            "/mcp",
            RPC,
            {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": SENTENCE}},
        ),
        (
            "/a2a/nobody",
            RPC,
            {
                "error": {
                    "code": 403,
                    "status": "PERMISSION_DENIED",
                    "message": SENTENCE,
                    "details": [],
                }
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_missing_scope_is_told_in_the_form_of_each_protocol(
    user: User, path: str, body: Any, told: Any
) -> None:
    key = (await make_key(user, "read", "agents"))["key"]
    answer = await user.http.post(path, json=body, headers=bearer(key))
    assert (answer.status_code, answer.json()) == (403, told)
    assert answer.headers["www-authenticate"] == ALL_CHAT


async def test_agents_are_shown_without_their_tokens_to_a_key_that_reads(user: User) -> None:
    agent = await user.register_agent("secretive", "d")
    path = f"/api/agents/{agent['id']}"
    for scope, shown in (("read", ""), ("agents", agent["jwt"])):
        key = (await make_key(user, scope))["key"]
        one = good(await user.http.get(path, headers=bearer(key)))
        [listed] = good(await user.http.get("/api/agents", headers=bearer(key)))
        assert (one["agent_jwt"], listed["agent_jwt"]) == (shown, shown)


async def test_a_key_that_is_deleted_is_over_with_what_it_has_opened(user: User) -> None:
    made, other = [await make_key(user, "chat") for _ in range(2)]
    path = f"/api/sessions/{uuid4()}/events"
    async with (
        connect(f"{user.socket_url}?token={made['key']}") as socket,
        connect(f"{user.socket_url}?token={other['key']}") as others,
        user.http.stream("GET", path, headers=bearer(made["key"])) as stream,
    ):
        assert stream.status_code == 200
        deleted = await user.http.delete(f"{KEYS}/{made['id']}")
        assert deleted.status_code == 204
        await socket.wait_closed()
        assert (socket.close_code, socket.close_reason) == (3000, "signed out")
        assert [line async for line in stream.aiter_lines() if line.startswith("data")] == []
        await (await others.ping())
    again = await user.http.get("/api/chats", headers=bearer(made["key"]))
    assert (again.status_code, again.json()) == (401, {"detail": DEAD})
    sentence = f"You have no API key with id '{made['id']}'"
    assert refused(await user.http.delete(f"{KEYS}/{made['id']}")) == sentence


async def test_the_keys_of_a_locked_user_are_closed_and_good_again_when_he_comes_back(
    user: User, sql: Sql
) -> None:
    key = (await make_key(user, "chat"))["key"]
    async with connect(f"{user.socket_url}?token={key}") as socket:
        sql("UPDATE users SET locked_at = now() WHERE id = %s", user.id)
        await socket.wait_closed()
        assert socket.close_code == 3000
    assert await status(user, key) == 401
    sql("UPDATE users SET locked_at = NULL WHERE id = %s", user.id)

    async def is_in() -> bool:
        return await status(user, key) == 200

    await eventually(is_in, "the gateway has heard that the user is back")
    async with connect(f"{user.socket_url}?token={key}") as socket:
        await (await socket.ping())


async def test_a_key_that_is_changed_by_hand_is_another_one(user: User, sql: Sql) -> None:
    made = await make_key(user, "chat")
    assert await status(user, made["key"], "/api/agents") == 403
    sql("UPDATE api_keys SET scopes = '{read}' WHERE id = %s", made["id"])

    async def reads() -> bool:
        return await status(user, made["key"], "/api/agents") == 200

    await eventually(reads, "the gateway has heard of the change")


async def test_whether_a_key_is_good_can_be_asked(user: User, visitor: httpx2.AsyncClient) -> None:
    made = await make_key(user, "agents")
    asked = {"token": made["key"]}
    assert good(await visitor.post("/api/validate-token", json=asked))
    await user.http.delete(f"{KEYS}/{made['id']}")
    answer = await visitor.post("/api/validate-token", json=asked)
    assert refused(answer) == "Token is not valid or expired"


async def test_guesses_are_bounded_and_uses_are_stored_by_a_gateway_that_goes_down(
    stores: Stores,
) -> None:
    with stores.system(LOGIN_FAILURES_PER_ADDRESS="3") as system, run_sql(system.settings) as sql:
        gateway = system.start_gateway()
        async with insert_user(system, sql) as user:
            made = await make_key(user, "chat")
            assert await status(user, made["key"]) == 200
            guessed = [
                await user.http.get("/api/chats", headers=bearer(keys_format.make_key()))
                for _ in range(4)
            ]
            assert [each.status_code for each in guessed] == [401, 401, 401, 429]
            assert int(guessed[-1].headers["retry-after"]) > 0
            assert await status(user, made["key"]) == 200
        gateway.stop()
        log = gateway.log.read_text()
        assert "an API key was refused: too many unknown ones come from its address" in log
        assert made["key"] not in log
        [row] = sql("SELECT used_at, used_address FROM api_keys WHERE id = %s", made["id"])
        assert row["used_at"] is not None
        assert row["used_address"] == "127.0.0.1"
