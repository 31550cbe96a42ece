"""Administrators, locks and sign-ins by the command: what ends is over at the gateways."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from websockets.exceptions import ConnectionClosed

from devstack.processes import free_port
from gateway.accounts.passwords import BREACHED
from tests.gateway.admin.commands import Admin
from tests.sql import Sql
from tests.system import System
from tests.users import PASSWORD, User, connect_to, eventually, register_user

NOBODYS = "4f1f8f0a-6d0e-4d3c-9a51-7f2f6f3a0b1d"


@pytest.fixture
async def signed_in(system: System) -> AsyncIterator[User]:
    """Somebody with a password and a sign-in."""
    async with register_user(system.gateway) as user:
        yield user


async def until_refused(user: User) -> None:
    async def holds() -> bool:
        return (await user.http.get("/api/chats")).status_code == 401

    await eventually(holds, "the token opens nothing any more")


async def test_an_administrator_is_made_and_unmade(admin: Admin, user: User) -> None:
    made = await admin.soon("users", "make-admin", user.name, "--yes", "--json")
    assert (made.code, made.json["id"], made.json["role"]) == (0, user.id, "admin")
    listed = await admin.soon("users", "list", "--name", user.name, "--admins", "--json")
    assert [each["role"] for each in listed.lines] == ["admin"]
    unmade = await admin.soon("users", "make-user", user.name, "--yes", "--json")
    assert unmade.json["role"] == "user"
    listed = await admin.soon("users", "list", "--name", user.name, "--admins", "--json")
    assert listed.lines == []


async def test_whoever_is_locked_is_out_until_he_is_unlocked(
    admin: Admin, system: System, signed_in: User
) -> None:
    async with signed_in.chat() as chat:
        locked = await admin.soon("users", "lock", signed_in.name, "--yes", "--json")
        assert (locked.code, locked.json["ended_sign_ins"]) == (0, 1)
        with pytest.raises(ConnectionClosed):
            await chat.receive()
    await until_refused(signed_in)
    listed = await admin.soon("users", "list", "--name", signed_in.name, "--locked", "--json")
    assert [each["locked_at"] for each in listed.lines] == [locked.json["locked_at"]]
    again = await admin.soon("users", "lock", signed_in.name, "--yes", "--json")
    assert (again.json["locked_at"], again.json["ended_sign_ins"]) == (
        locked.json["locked_at"],
        0,
    )
    async with connect_to(system.gateway) as http:
        credentials = {"username": signed_in.name, "password": PASSWORD}
        login = await http.post("/api/login/access-token", data=credentials)
        assert "locked" in login.json()["detail"]
        unlocked = await admin.soon("users", "unlock", signed_in.id, "--yes", "--json")
        assert unlocked.json["locked_at"] is None
        login = await http.post("/api/login/access-token", data=credentials)
        assert login.status_code == 200


async def test_another_password_is_the_only_one_and_ends_what_was(
    admin: Admin, system: System, signed_in: User
) -> None:
    name, password = signed_in.name, f"Another-{PASSWORD}"
    given = ("users", "set-password", name, "--password-stdin", "--json")
    weak = await admin.soon(*given, stdin="password")
    assert (weak.code, weak.err) == (4, "Password must contain an uppercase character\n")
    ended = await admin.soon(*given, stdin=f"{password}\n")
    assert (ended.code, ended.json["ended_sign_ins"]) == (0, 1)
    await until_refused(signed_in)
    async with connect_to(system.gateway) as http:
        statuses = [
            (
                await http.post(
                    "/api/login/access-token", data={"username": name, "password": each}
                )
            ).status_code
            for each in (PASSWORD, password)
        ]
    assert statuses == [400, 200]


async def test_a_link_sets_another_password_once(
    admin: Admin, system: System, signed_in: User
) -> None:
    made = await admin.soon(
        "users", "reset", signed_in.name, "--json", PUBLIC_URL="https://chat.example.com"
    )
    token = made.json["token"]
    assert made.json["url"] == f"https://chat.example.com/password-reset#{token}"
    given = {"token": token, "new_password": f"Another-{PASSWORD}"}
    async with connect_to(system.gateway) as http:
        statuses = [
            (await http.post("/api/password-reset", json=given)).status_code for _ in range(2)
        ]
    assert statuses == [204, 400]
    await admin.soon("users", "lock", signed_in.name, "--yes")
    locked = await admin.soon("users", "reset", signed_in.name)
    assert (locked.code, "is locked" in locked.err) == (4, True)


async def test_a_sign_in_is_listed_and_ended(admin: Admin, signed_in: User) -> None:
    [sign_in] = (await admin.soon("sessions", "list", "--user", signed_in.name, "--json")).lines
    assert (sign_in["username"], sign_in["method"]) == (signed_in.name, "password")
    end = ("sessions", "end", sign_in["id"], "--yes", "--json")
    unknown = await admin.soon(*end, NOBODYS)
    assert (unknown.code, unknown.err) == (3, f"There is no sign-in {NOBODYS}.\n")
    assert (await admin.soon(*end)).json == {"ended": 1}
    await until_refused(signed_in)
    assert (await admin.soon(*end)).json == {"ended": 0}
    listed = await admin.soon("sessions", "list", "--user", signed_in.name, "--json")
    assert listed.lines == []


async def test_all_sign_ins_of_a_user_are_ended_and_nobody_elses_without_redis_too(
    admin: Admin, system: System, signed_in: User
) -> None:
    away = {"REDIS_URL": f"redis://127.0.0.1:{free_port()}"}
    async with register_user(system.gateway) as other:
        end = ("sessions", "end", "--user", signed_in.id, "--yes", "--json")
        ended = await admin.soon(*end, **away)
        assert ended.json == {"ended": 1}
        await until_refused(signed_in)
        assert (await other.http.get("/api/chats")).status_code == 200


@pytest.mark.parametrize("arguments", [[], [NOBODYS, "--user", "ada"]])
def test_either_sign_ins_or_a_user_are_named(admin: Admin, arguments: list[str]) -> None:
    ended = admin("sessions", "end", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "either sign-ins or a user" in ended.err


@pytest.mark.parametrize("command", ["lock", "unlock", "make-admin", "make-user"])
def test_nothing_is_done_that_is_not_confirmed(admin: Admin, command: str) -> None:
    ended = admin("users", command, NOBODYS, stdin="y\n")
    assert (ended.code, ended.out) == (2, "")
    assert admin("users", command, NOBODYS, "--yes").code == 3


async def test_a_link_and_what_is_done_by_it_are_noted(
    admin: Admin, system: System, signed_in: User, sql: Sql
) -> None:
    made = await admin.soon("users", "reset", signed_in.name, "--json")
    assert (made.code, made.json["url"]) == (0, None)
    noted = sql("SELECT action, via FROM audit WHERE object_id = %s ORDER BY id", signed_in.id)
    assert noted[-1] == {"action": "password_link.created", "via": "command"}
    given = {"token": made.json["token"], "new_password": f"Another-{PASSWORD}"}
    async with connect_to(system.gateway) as http:
        assert (await http.post("/api/password-reset", json=given)).status_code == 204
    await until_refused(signed_in)
    [_, *done] = sql(
        "SELECT action, actor_id FROM audit WHERE owner_id = %s AND action LIKE 'password%%'"
        " ORDER BY id",
        signed_in.id,
    )
    assert done == [{"action": "password.changed", "actor_id": UUID(signed_in.id)}]


async def test_a_password_that_is_known_from_breaches_is_refused(
    admin: Admin, signed_in: User
) -> None:
    given = ("users", "set-password", signed_in.name, "--password-stdin")
    refused = await admin.soon(*given, stdin="Password1!")
    assert (refused.code, refused.err) == (4, f"{BREACHED}\n")
