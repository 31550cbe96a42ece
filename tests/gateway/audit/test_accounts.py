"""What users and administrators do with accounts, keys and groups leaves an entry each."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from tests.gateway.audit.entries import noting
from tests.gateway.shapes import good
from tests.sql import Sql
from tests.system import System
from tests.users import PASSWORD, User, connect_to, register_user

NEW = "An0ther-unheard-of-Passw0rd"


@pytest.fixture
async def person(system: System) -> AsyncIterator[User]:
    """Somebody with a password."""
    async with register_user(system.gateway) as user:
        yield user


@pytest.fixture
async def administrator(user: User, sql: Sql) -> User:
    """Somebody who is one."""
    sql("UPDATE users SET role = 'admin' WHERE id = %s", user.id)
    return user


async def test_an_administrator_is_noted_with_what_he_does_to_others(
    sql: Sql, administrator: User, person: User
) -> None:
    async with noting(sql, person.id) as noted:
        path = f"/api/users/{person.id}"
        for changes in ({"role": "admin"}, {"locked": True}, {"locked": False}):
            good(await administrator.http.patch(path, json=changes))
    actions = ["user.role_changed", "sign_in.ended", "user.locked", "user.unlocked"]
    assert noted.actions == actions
    assert {each["actor_id"] for each in noted.entries} == {UUID(administrator.id)}
    assert {each["owner_id"] for each in noted.entries} == {UUID(person.id)}
    assert {each["via"] for each in noted.entries} == {"api"}


async def test_a_change_of_a_password_is_noted_without_it(sql: Sql, person: User) -> None:
    given = {"old_password": PASSWORD, "new_password": NEW}
    async with noting(sql, person.id) as noted:
        good(await person.http.post("/api/me/password", json=given))
    assert (noted.only["action"], noted.only["details"]) == ("password.changed", {})
    assert noted.only["actor_id"] == UUID(person.id)


async def test_a_link_for_a_password_is_noted_and_its_use(
    system: System, sql: Sql, administrator: User, person: User
) -> None:
    async with noting(sql, person.id) as noted:
        made = good(await administrator.http.post(f"/api/users/{person.id}/password-reset"))
        async with connect_to(system.gateway) as http:
            given = {"token": made["token"], "new_password": NEW}
            assert (await http.post("/api/password-reset", json=given)).status_code == 204
    assert noted.actions == ["password_link.created", "password.changed", "sign_in.ended"]
    link, changed, _ = noted.entries
    assert (link["actor_id"], link["details"]) == (UUID(administrator.id), {"purpose": "reset"})
    assert (changed["actor_id"], changed["credential_id"]) == (UUID(person.id), None)
    assert made["token"] not in str(noted.entries)


async def test_a_key_is_noted_without_what_it_is(sql: Sql, user: User) -> None:
    async with noting(sql, user.id) as noted:
        made = good(await user.http.post("/api/keys", json={"name": "n", "scopes": ["read"]}))
        path = f"/api/keys/{made['id']}"
        good(await user.http.patch(path, json={"name": "another"}))
        headers = {"Authorization": f"Bearer {made['key']}"}
        good(await user.http.get("/api/chats", headers=headers))
        assert (await user.http.delete(path)).status_code == 204
    created, changed, _ = noted.entries
    assert noted.actions == ["key.created", "key.changed", "key.deleted"]
    assert {each["object_id"] for each in noted.entries} == {UUID(made["id"])}
    assert created["details"] == {"scopes": ["read"]}
    assert changed["details"] == {"scopes": ["read"], "fields": ["name"]}
    assert made["key"][:12] not in str(noted.entries)


async def test_groups_members_and_shares_are_noted(sql: Sql, user: User, other_user: User) -> None:
    agent = await user.register_agent("shared")
    async with noting(sql, user.id) as noted, noting(sql, other_user.id) as noted_of_other:
        group = good(await user.http.post("/api/groups", json={"name": "of friends"}))["id"]
        path = f"/api/groups/{group}"
        good(await user.http.post(f"{path}/members", json={"username": other_user.name}))
        good(await other_user.http.post(f"{path}/membership"))
        shared = {"kind": "agent", "id": agent["id"] if "id" in agent else agent["agent_id"]}
        share = good(await user.http.post(f"{path}/shares", json=shared))["id"]
        assert (await user.http.delete(f"{path}/shares/{share}")).status_code == 204
        assert (await other_user.http.delete(f"{path}/membership")).status_code == 204
        assert (await user.http.delete(path)).status_code == 204
    assert noted.actions == [
        "group.created",
        "member.invited",
        "share.created",
        "share.deleted",
        "group.deleted",
    ]
    assert noted.entries[2]["details"] == {"group_id": group, "agent_id": shared["id"]}
    assert noted_of_other.actions == ["member.invited", "member.changed", "member.deleted"]
    invited, accepted, left = noted_of_other.entries
    assert (invited["actor_id"], accepted["actor_id"]) == (UUID(user.id), UUID(other_user.id))
    assert (accepted["object_id"], left["details"]) == (UUID(group), {"role": "member"})


async def test_mail_that_goes_elsewhere_is_noted_without_the_address(sql: Sql, user: User) -> None:
    async with noting(sql, user.id) as noted:
        sql("UPDATE users SET email = 'ada@example.com' WHERE id = %s", user.id)
    assert noted.only["action"] == "email.changed"
    assert "ada" not in str(noted.only)
