"""Accounts that are deleted: what is over at once, and that nothing is left."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from gateway.leaving.steps import STEPS
from tests.gateway.belongings import Belongings, insert_person, user_token
from tests.sql import Sql
from tests.system import System
from tests.users import PASSWORD, User, connect_to, eventually, insert_user, register_user

OWNERS = """
    SELECT table_name, column_name FROM information_schema.columns JOIN pg_class
        ON relname = table_name AND relkind IN ('r', 'p') AND NOT relispartition
    WHERE table_schema = current_schema() AND column_name IN ('creator_id', 'user_id', 'owner_id')
"""
STAYS = {"audit", "account_deletions"}


@pytest.fixture
async def administrator(system: System, sql: Sql) -> AsyncIterator[User]:
    async with insert_user(system, sql) as user:
        # The only one: there may be others of other tests.
        sql("UPDATE users SET role = CASE id WHEN %s THEN 'admin' ELSE 'user' END", user.id)
        yield user


@pytest.fixture
async def person(system: System, sql: Sql) -> AsyncIterator[tuple[Belongings, httpx2.AsyncClient]]:
    """Somebody with one thing of each kind, and no password."""
    owner = insert_person(sql, system)
    token = user_token(system.settings, owner)
    async with connect_to(system.gateway, Authorization=f"Bearer {token}") as http:
        yield owner, http


def left_of(sql: Sql, user_id: str) -> dict[str, int]:
    """In which tables there are rows with a user's id, and how many."""
    counts = {
        table: values_of(sql, f"SELECT count(*) FROM {table} WHERE {column} = %s", user_id)  # noqa: S608
        for table, column in values_of(sql, OWNERS)
        if table not in STAYS
    }
    return {table: count for table, [[count]] in counts.items() if count}


def values_of(sql: Sql, statement: str, *parameters: Any) -> list[list[Any]]:
    """The values of each row."""
    return [[*row.values()] for row in sql(statement, *parameters)]


async def until_deleted(sql: Sql, user_id: str) -> dict[str, int]:
    """What has been removed."""

    async def holds() -> bool:
        return bool(
            sql(
                "SELECT 1 FROM account_deletions WHERE user_id = %s AND ended_at > '-infinity'",
                user_id,
            )
        )

    await eventually(holds, "the account is deleted", 30)
    [row] = sql("SELECT counts FROM account_deletions WHERE user_id = %s", user_id)
    return dict(row["counts"])


def test_whatever_has_rows_of_users_is_in_a_step(sql: Sql) -> None:
    referring = values_of(
        sql,
        "SELECT DISTINCT CAST(conrelid::regclass AS text) FROM pg_constraint JOIN pg_class"
        " ON pg_class.oid = conrelid AND NOT relispartition"
        " WHERE confrelid = 'users'::regclass",
    )
    emptied = set(re.findall(r"DELETE FROM (\w+)", " ".join(step.sql for step in STEPS)))
    assert {table for [table] in referring} - emptied == set()


async def test_of_who_leaves_nothing_is_left_and_all_is_told_in_numbers(
    system: System,
    sql: Sql,
    administrator: User,
    person: tuple[Belongings, httpx2.AsyncClient],
) -> None:
    owner, http = person
    [[internal]] = values_of(sql, "SELECT internal_name FROM files WHERE id = %s", owner.file_id)
    (system.files / internal).write_text("bytes")
    begun = await http.post("/api/me/deletion")
    assert begun.status_code == 202, begun.text
    assert (await http.get("/api/chats")).status_code == 401
    counts = await until_deleted(sql, owner.user_id)
    assert left_of(sql, owner.user_id) == {}
    assert not (system.files / internal).exists()
    assert sql("SELECT 1 FROM users WHERE id = %s", owner.user_id) == []
    told = await administrator.http.get(f"/api/account-deletions/{owner.user_id}")
    assert (told.json()["step"], told.json()["counts"]) == ("done", counts)
    assert {"files", "messages", "chats", "agents", "flows", "mcp_tools", "api_keys"} <= {*counts}
    entries = await administrator.http.get("/api/audit", params={"user_id": owner.user_id})
    ended, *_, begun_entry = [
        each for each in entries.json() if each["action"].startswith("user.delet")
    ]
    assert (ended["action"], ended["details"]) == ("user.deleted", {"removed": counts})
    assert (begun_entry["action"], begun_entry["actor_id"]) == (
        "user.deletion_begun",
        owner.user_id,
    )
    assert owner.marker not in entries.text


async def test_the_password_is_asked_for_and_the_name_is_free_thereafter(
    system: System, sql: Sql
) -> None:
    async with register_user(system.gateway) as user:
        for given in ({}, {"password": "Wrong-1-password"}):
            refused = await user.http.post("/api/me/deletion", json=given)
            assert (refused.status_code, refused.json()) == (
                400,
                {"detail": "The password is not the right one"},
            )
        async with user.chat() as chat:
            begun = await user.http.post("/api/me/deletion", json={"password": PASSWORD})
            assert begun.status_code == 202
            with pytest.raises(Exception, match="3000"):
                await chat.receive()
        await until_deleted(sql, user.id)
        async with register_user(system.gateway, user.name) as again:
            assert again.id != user.id


async def test_an_administrator_deletes_anybody_but_the_last_of_them(
    administrator: User, user: User, other_user: User, sql: Sql
) -> None:
    refused = await other_user.http.request("DELETE", f"/api/users/{user.id}")
    assert refused.status_code == 403
    last = await administrator.http.request("DELETE", f"/api/users/{administrator.id}")
    assert last.json()["detail"].startswith("This is the last administrator")
    begun = await administrator.http.request("DELETE", f"/api/users/{user.id}")
    assert begun.status_code == 202
    assert (await user.http.get("/api/chats")).status_code == 401
    counts = await until_deleted(sql, user.id)
    assert (counts["model_providers"], counts["sign_ins"]) == (1, 1)
    listed = await administrator.http.get("/api/account-deletions")
    assert user.id in {each["user_id"] for each in listed.json()}
    unknown = await administrator.http.request("DELETE", f"/api/users/{user.id}")
    assert unknown.status_code == 400


async def test_nobody_comes_back_who_is_being_deleted(
    administrator: User, user: User, sql: Sql
) -> None:
    mark = """
        INSERT INTO account_deletions (user_id, step, actor, ended_at)
        VALUES (%s, 'log_entries', '{}', 'infinity')
    """
    sql(mark, user.id)  # which nobody works on
    await administrator.http.patch(f"/api/users/{user.id}", json={"locked": True})
    refused = await administrator.http.patch(f"/api/users/{user.id}", json={"locked": False})
    assert refused.json() == {"detail": "This account is being deleted"}
    assert sql("SELECT 1 FROM users WHERE id = %s AND locked_at IS NULL", user.id) == []


async def test_what_runs_is_cancelled_and_agents_are_told(
    person: tuple[Belongings, httpx2.AsyncClient], sql: Sql
) -> None:
    owner, http = person
    await http.post("/api/me/deletion")
    assert (await until_deleted(sql, owner.user_id))["cancelled_requests"] == 1
