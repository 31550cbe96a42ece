"""Whatever is noted leaves one entry, which says who did it, from where, and no secret."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway.audit.actions import Action
from shared.tokens import read_token
from tests.gateway.audit.entries import noting
from tests.gateway.shapes import good
from tests.sql import Sql
from tests.system import System
from tests.users import PASSWORD, User, register_user

LOGIN, SIGN_INS = "/api/login/access-token", "/api/sessions/sign-ins"
PROVIDER = {"name": "openai", "api_key": "sk-audited-secret", "metadata": {}}


@pytest.fixture(scope="module")
async def person(system: System) -> AsyncIterator[User]:
    """Somebody with a password."""
    async with register_user(system.gateway) as user:
        yield user


def sign_in_of(system: System, token: str) -> UUID:
    claims = read_token(system.settings.secret_key, token)
    assert claims is not None
    assert claims.sign_in_id is not None
    return claims.sign_in_id


async def log_in(person: User, **form: str) -> dict[str, Any]:
    credentials = {"username": person.name, "password": PASSWORD, **form}
    given: dict[str, Any] = good(await person.http.post(LOGIN, data=credentials))
    return given


async def test_a_registration_is_noted_with_its_address(system: System, sql: Sql) -> None:
    async with register_user(system.gateway) as user:
        entries = sql("SELECT * FROM audit WHERE object_id = %s", user.id)
    [created] = entries
    assert (created["action"], created["via"]) == ("user.created", "api")
    assert (created["actor_id"], created["address"]) == (None, "127.0.0.1")


async def test_a_login_is_noted_with_its_sign_in(system: System, sql: Sql, person: User) -> None:
    async with noting(sql, person.id) as noted:
        given = await log_in(person)
    entry = noted.only
    assert (entry["action"], entry["via"]) == ("sign_in.succeeded", "api")
    assert entry["actor_id"] == entry["owner_id"] == UUID(person.id)
    assert entry["object_id"] == sign_in_of(system, given["access_token"])
    assert entry["address"] == "127.0.0.1"
    assert entry["details"] == {"method": "password"}


async def test_failed_logins_of_a_minute_are_one_entry(system: System, sql: Sql) -> None:
    async with register_user(system.gateway) as user, noting(sql, user.id) as noted:
        for _ in range(3):
            form = {"username": user.name, "password": "Wrong-pa55word"}
            assert (await user.http.post(LOGIN, data=form)).status_code == 400
    assert (noted.only["action"], noted.only["actor_id"]) == ("sign_in.failed", None)
    assert noted.only["object_id"] == UUID(user.id)
    assert noted.only["details"] == {"method": "password", "reason": "wrong", "count": 1}


async def test_a_name_that_nobody_has_is_not_noted(person: User, sql: Sql) -> None:
    form = {"username": "Pa55word-typed-as-a-name", "password": PASSWORD}
    assert (await person.http.post(LOGIN, data=form)).status_code == 400
    rows = sql("SELECT * FROM audit WHERE action = 'sign_in.failed' AND object_id IS NULL")
    assert rows
    assert "Pa55word-typed-as-a-name" not in str(sql("SELECT details, address FROM audit"))


async def test_who_is_locked_leaves_a_failure(system: System, sql: Sql) -> None:
    async with register_user(system.gateway) as user, noting(sql, user.id) as noted:
        sql("UPDATE users SET locked_at = now() WHERE id = %s", user.id)
        form = {"username": user.name, "password": PASSWORD}
        assert (await user.http.post(LOGIN, data=form)).status_code == 400
        sql("UPDATE users SET locked_at = NULL WHERE id = %s", user.id)
    assert noted.actions == ["user.locked", "sign_in.failed", "user.unlocked"]
    locked, failed, _ = noted.entries
    assert (locked["via"], locked["actor_id"]) == ("database", None)
    assert locked["details"] == {"database_role": system.settings.postgres_user}
    assert failed["details"]["reason"] == "locked"


async def test_the_end_of_a_sign_in_is_noted_with_who_ended_it(
    system: System, sql: Sql, person: User
) -> None:
    ended = sign_in_of(system, (await log_in(person))["access_token"])
    async with noting(sql, person.id) as noted:
        answer = await person.http.delete(f"{SIGN_INS}/{ended}")
    assert answer.status_code == 204
    assert (noted.only["action"], noted.only["object_id"]) == ("sign_in.ended", ended)
    assert noted.only["actor_id"] == UUID(person.id)
    assert noted.only["credential_id"] == sign_in_of(system, person.token)


async def test_what_did_not_happen_is_not_noted(sql: Sql, person: User) -> None:
    async with noting(sql, person.id) as noted:
        assert (await person.http.delete(f"{SIGN_INS}/{uuid4()}")).status_code == 400
        assert (await person.http.post("/api/llm/model/provider", json={})).status_code == 422
    assert noted.entries == []


async def test_a_copied_refresh_token_is_noted_once(sql: Sql, person: User) -> None:
    first = (await log_in(person, scope="offline_access"))["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": first}
    good(await person.http.post(LOGIN, data=form))
    async with noting(sql, person.id) as noted:
        for _ in range(2):
            assert (await person.http.post(LOGIN, data=form)).status_code == 400
    assert (noted.only["action"], noted.only["actor_id"]) == ("sign_in.copied", None)
    assert (noted.only["via"], noted.only["address"]) == ("api", "127.0.0.1")


async def test_a_renewal_is_not_noted(sql: Sql, person: User) -> None:
    token = (await log_in(person, scope="offline_access"))["refresh_token"]
    async with noting(sql, person.id) as noted:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        good(await person.http.post(LOGIN, data=form))
    assert noted.entries == []


async def test_changes_of_a_provider_are_noted_without_its_key(sql: Sql, user: User) -> None:
    async with noting(sql, user.id) as noted:
        good(await user.http.post("/api/llm/model/provider", json=PROVIDER))
        change = {"api_key": "sk-another-secret"}
        good(await user.http.patch("/api/llm/model/providers/openai", json=change))
    assert noted.actions == ["provider.created", "provider.changed"]
    assert noted.entries[1]["details"] == {"fields": ["api_key"]}
    assert "secret" not in str(noted.entries)


async def test_credentials_of_a_config_are_noted(sql: Sql, user: User) -> None:
    config = {"name": "audited", "model": "m", "provider": "provider of config"}
    async with noting(sql, user.id) as noted:
        path = "/api/llm/model/config"
        given = {**config, "credentials": {"api_key": "sk-audited-secret"}}
        [provider] = good(await user.http.post(path, json=given))
        [id_] = [each["id"] for each in provider["configs"] if each["name"] == "audited"]
        good(await user.http.patch(f"{path}/{id_}", json={"credentials": {"api_key": "sk-2"}}))
        good(await user.http.patch(f"{path}/{id_}", json={"temperature": 1}))
        assert (await user.http.delete(f"{path}/{id_}")).status_code == 204
    changed = "config_credentials.changed"
    assert noted.actions == [changed, changed, "config_credentials.deleted"]
    assert {each["object_id"] for each in noted.entries} == {UUID(id_)}


@pytest.mark.parametrize(
    ("statement", "action", "details"),
    [
        ("UPDATE users SET role = 'admin' WHERE id = %s", "user.role_changed", {"role": "admin"}),
        ("UPDATE users SET password = 'other' WHERE id = %s", "password.changed", {}),
        ("UPDATE users SET locked_at = now() WHERE id = %s", "user.locked", {}),
        ("UPDATE users SET updated_at = now() WHERE id = %s", None, None),
        ("DELETE FROM users WHERE id = %s", "user.deleted", {"username": "{name}"}),
        ("DELETE FROM modelproviders WHERE creator_id = %s", "provider.deleted", {}),
        (
            "INSERT INTO budgets (user_id, usd) VALUES (%s, 12.5)",
            "budget.created",
            {"usd": 12.5},
        ),
        (
            "UPDATE sign_ins SET ended_at = now() WHERE user_id = %s",
            "sign_in.ended",
            {"method": "password"},
        ),
    ],
)
async def test_what_is_done_by_hand_leaves_one_entry(
    system: System, sql: Sql, user: User, statement: str, action: str | None, details: Any
) -> None:
    async with noting(sql, user.id) as noted:
        sql(statement, user.id)
    if action is None:
        assert noted.entries == []
        return
    told = {
        name: value.format(name=user.name) if isinstance(value, str) else value
        for name, value in details.items()
    }
    assert noted.only["action"] == action
    assert noted.only["details"] == {**told, "database_role": system.settings.postgres_user}


def test_each_action_of_an_entry_is_in_the_list(sql: Sql) -> None:
    assert {row["action"] for row in sql("SELECT DISTINCT action FROM audit")} <= {*Action}
