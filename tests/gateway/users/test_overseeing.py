"""What administrators see and end of users' sign-ins, API keys, requests and agents."""

import asyncio
from uuid import uuid4

import psycopg
import pytest
from websockets.exceptions import ConnectionClosed

from tests.agent_bridge.actors import unanswered, until_invoked
from tests.master import Invocation, Master, answer
from tests.sql import Sql
from tests.system import System
from tests.users import Json, User, eventually

FAIL_WHAT_WAITS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ~ 'INTO audit'
"""


async def read(user: User, path: str, **query: str) -> list[Json]:
    answer = await user.http.get(path, params=query)
    assert answer.status_code == 200, answer.text
    things: list[Json] = answer.json()
    return things


async def make_key(user: User) -> Json:
    made = await user.http.post("/api/keys", json={"name": "mine", "scopes": ["read"]})
    assert made.status_code == 200, made.text
    key: Json = made.json()
    return key


async def test_a_sign_in_is_seen_and_ended_with_its_sockets(
    administrator: User, user: User
) -> None:
    path = f"/api/users/{user.id}/sign-ins"
    [one] = await read(administrator, path)
    assert (one["username"], one["method"], one["device"]) == (user.name, "password", "a test")
    assert (await user.http.get("/api/chats")).status_code == 200
    async with user.chat() as chat:
        ended = await administrator.http.delete(f"{path}/{one['id']}")
        assert (ended.status_code, ended.content) == (204, b"")
        with pytest.raises(ConnectionClosed):
            await chat.receive()
    assert (await user.http.get("/api/chats")).status_code == 401
    assert await read(administrator, path) == []
    again = await administrator.http.delete(f"{path}/{one['id']}")
    assert (again.status_code, again.json()) == (
        400,
        {"detail": f"This user has no sign-in with id '{one['id']}'"},
    )


async def test_all_sign_ins_of_a_user_are_ended_and_nobody_elses(
    administrator: User, user: User, other_user: User
) -> None:
    ended = await administrator.http.delete(f"/api/users/{user.id}/sign-ins")
    assert (ended.status_code, ended.json()) == (200, {"ended": 1})
    assert (await user.http.get("/api/chats")).status_code == 401
    assert (await other_user.http.get("/api/chats")).status_code == 200


async def test_a_key_is_seen_without_its_secret_and_revoked(
    administrator: User, user: User
) -> None:
    key = await make_key(user)
    path = f"/api/users/{user.id}/keys"
    [one] = await read(administrator, path)
    assert (one["id"], one["name"], one["scopes"]) == (key["id"], "mine", ["read"])
    assert key["key"].startswith(one["start"])
    assert key["key"] not in str(one)
    shown = {"Authorization": f"Bearer {key['key']}"}
    assert (await user.http.get("/api/chats", headers=shown)).status_code == 200
    assert (await administrator.http.delete(f"{path}/{key['id']}")).status_code == 204
    assert (await user.http.get("/api/chats", headers=shown)).status_code == 401
    assert await read(administrator, path) == []


async def test_what_is_one_users_is_not_ended_as_anothers(
    administrator: User, user: User, other_user: User
) -> None:
    key = await make_key(user)
    [sign_in] = await read(administrator, f"/api/users/{user.id}/sign-ins")
    for path in (f"keys/{key['id']}", f"sign-ins/{sign_in['id']}"):
        ended = await administrator.http.delete(f"/api/users/{other_user.id}/{path}")
        assert ended.status_code == 400
    assert (await user.http.get("/api/keys")).json()[0]["id"] == key["id"]


async def test_requests_are_seen_without_what_was_asked(
    administrator: User, user: User, master: Master, sql: Sql
) -> None:
    async with user.chat() as chat:
        answered = (await chat.ask("a word"))["response"]["request_id"]
        async with unanswered(master, chat):
            await until_invoked(master, 2)
            [running] = await read(
                administrator, "/api/admin/requests", user_id=user.id, status="open"
            )
            assert (running["username"], running["status"]) == (user.name, "running")
            everything = await administrator.http.get(
                "/api/admin/requests", params={"session_id": chat.session_id}
            )
            ids = [each["request_id"] for each in everything.json()]
            assert ids == [running["request_id"], answered]
            assert "a word" not in everything.text
            of_all = await read(administrator, "/api/admin/requests")
            assert running["request_id"] in {each["request_id"] for each in of_all}
            assert {each["status"] for each in of_all} <= {"queued", "running"}
            path = f"/api/admin/requests/{running['request_id']}/cancel"
            cancelled = await administrator.http.post(path)
            assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
            assert (await chat.receive())["error"] == "The request was cancelled"
            assert (await administrator.http.post(path)).json() == cancelled.json()
    entries = sql("SELECT * FROM audit WHERE object_id = %s", running["request_id"])
    [(action, via, actor, owner)] = [
        (each["action"], each["via"], each["actor_id"], each["owner_id"]) for each in entries
    ]
    assert (action, via) == ("request.cancelled", "api")
    assert (str(actor), str(owner)) == (administrator.id, user.id)


async def test_nobody_is_told_of_a_cancellation_that_failed(
    system: System, administrator: User, user: User, master: Master, sql: Sql
) -> None:
    is_asked = asyncio.Event()

    async def behave(_invocation: Invocation) -> Json:
        await is_asked.wait()
        return answer("after all")

    async def fails() -> bool:
        return bool(sql(FAIL_WHAT_WAITS))

    master.behave = behave
    async with user.chat() as chat, asyncio.TaskGroup() as tasks:
        await chat.send("hello")
        await until_invoked(master)
        [running] = await read(administrator, "/api/admin/requests", user_id=user.id)
        path = f"/api/admin/requests/{running['request_id']}/cancel"
        with psycopg.connect(system.settings.database_url) as connection:
            connection.execute("LOCK TABLE audit IN SHARE MODE")
            cancelling = tasks.create_task(administrator.http.post(path))
            await eventually(fails, "a cancellation that can't be noted")
            assert (await cancelling).status_code == 503
        is_asked.set()
        assert (await chat.receive())["response"]["response"]["response"] == "after all"


async def test_requests_of_all_that_have_ended_are_not_listed(administrator: User) -> None:
    asked = await administrator.http.get("/api/admin/requests", params={"status": "answered"})
    assert asked.status_code == 400
    assert "name a user_id" in asked.json()["detail"]


async def test_a_request_that_is_not_there_is_not_cancelled(administrator: User) -> None:
    id_ = uuid4()
    refused = await administrator.http.post(f"/api/admin/requests/{id_}/cancel")
    assert (refused.status_code, refused.json()) == (
        400,
        {"detail": f"Request with id '{id_}' does not exist"},
    )


async def test_agents_are_seen_with_where_they_are(administrator: User, user: User) -> None:
    agent = await user.register_agent("painter", "paints")
    [one] = await read(administrator, "/api/admin/agents", user_id=user.id)
    assert (one["agent_id"], one["is_connected"], one["via"]) == (agent["id"], False, None)
    assert agent["jwt"] not in str(one)
    assert await read(administrator, "/api/admin/agents", user_id=user.id, connected="true") == []


async def test_what_an_administrator_ends_is_noted_as_his_doing(
    administrator: User, user: User
) -> None:
    key = await make_key(user)
    await administrator.http.delete(f"/api/users/{user.id}/keys/{key['id']}")
    noted = await read(administrator, "/api/audit", object_id=key["id"], action="key.deleted")
    assert [each["actor_id"] for each in noted] == [administrator.id]
