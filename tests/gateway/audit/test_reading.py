"""Administrators read the audit log by REST, by who, what, and when."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.gateway.shapes import good
from tests.sql import Sql
from tests.system import System
from tests.users import User, insert_user

AUDIT = "/api/audit"


@pytest.fixture(scope="module")
async def admin(system: System, sql: Sql) -> AsyncIterator[User]:
    """Somebody who may read it; his own creation, sign-in and provider are in it."""
    async with insert_user(system, sql) as user:
        sql("UPDATE users SET role = 'admin' WHERE id = %s", user.id)
        yield user


async def read(admin: User, **filters: Any) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = good(await admin.http.get(AUDIT, params=filters))
    return entries


async def actions(admin: User, **filters: Any) -> list[str]:
    return [each["action"] for each in await read(admin, **filters)]


async def test_entries_of_a_user_are_told_the_newest_first(admin: User) -> None:
    assert await actions(admin, user_id=admin.id) == [
        "user.role_changed",
        "provider.created",
        "sign_in.succeeded",
        "user.created",
    ]


async def test_an_entry_names_who_and_whose_and_from_where(admin: User) -> None:
    [entry] = await read(admin, user_id=admin.id, action="provider.created")
    assert entry["actor"] == entry["owner"] == admin.name
    assert entry["actor_id"] == entry["owner_id"] == admin.id
    assert (entry["via"], entry["address"], entry["details"]) == ("api", "127.0.0.1", {})
    assert UUID(entry["object_id"])
    assert UUID(entry["credential_id"])


async def test_entries_are_filtered_by_object_and_by_time(admin: User) -> None:
    [entry] = await read(admin, user_id=admin.id, action="provider.created")
    assert await read(admin, object_id=entry["object_id"]) == [entry]
    since = await actions(admin, user_id=admin.id, since=entry["at"])
    assert since == ["user.role_changed", "provider.created"]
    until = await actions(admin, user_id=admin.id, until=f"{entry['at']}Z")
    assert until == ["sign_in.succeeded", "user.created"]
    assert await read(admin, object_id=str(uuid4())) == []


async def test_a_page_says_where_the_next_one_is(admin: User) -> None:
    answer = await admin.http.get(AUDIT, params={"user_id": admin.id, "limit": 3})
    assert len(good(answer)) == 3
    following = await admin.http.get(answer.links["next"]["url"])
    assert [each["action"] for each in good(following)] == ["user.created"]


@pytest.mark.parametrize(
    ("name", "value"), [("action", "user.praised"), ("since", "yesterday"), ("user_id", "me")]
)
async def test_a_filter_that_can_not_be_is_refused(admin: User, name: str, value: str) -> None:
    answer = await admin.http.get(AUDIT, params={name: value})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", name]


async def test_who_is_no_administrator_reads_nothing(user: User) -> None:
    answer = await user.http.get(AUDIT)
    assert answer.status_code == 403
    assert answer.json() == {"detail": "Only administrators may do this"}
