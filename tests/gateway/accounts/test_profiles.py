"""Profiles, each its user's own, through the real gateway."""

from collections.abc import AsyncIterator

import pytest

from tests.gateway.shapes import assert_shape, good, told
from tests.sql import Sql
from tests.system import System
from tests.users import User, register_user

PROFILE = {"id", "user_id", "first_name", "last_name"}


@pytest.fixture
async def person(system: System) -> AsyncIterator[User]:
    """A user who registered: with a profile."""
    async with register_user(system.gateway) as person:
        yield person


async def update_profile(user: User, **changes: object) -> list[object]:
    profile = good(await user.http.patch(f"/api/profiles/{user.id}", json=changes))
    return [profile["first_name"], profile["last_name"]]


async def test_a_new_user_has_an_empty_profile(person: User) -> None:
    profile = good(await person.http.get(f"/api/profiles/{person.id}"))
    assert_shape(profile, PROFILE)
    assert profile == {
        "id": profile["id"],
        "user_id": person.id,
        "first_name": None,
        "last_name": None,
    }


async def test_of_a_profile_what_is_left_out_stays_and_null_removes(person: User) -> None:
    assert await update_profile(person, first_name="Ann", last_name="Lee") == ["Ann", "Lee"]
    assert await update_profile(person, first_name="Anna") == ["Anna", "Lee"]
    assert await update_profile(person, last_name=None) == ["Anna", None]
    assert await update_profile(person, first_name="", user_id="x", more=1) == ["", None]
    assert await update_profile(person) == ["", None]
    stored = good(await person.http.get(f"/api/profiles/{person.id}"))
    assert (stored["first_name"], stored["last_name"]) == ("", None)


async def test_a_profile_that_was_removed_is_empty_and_can_be_filled(
    person: User, sql: Sql
) -> None:
    sql("DELETE FROM userprofiles WHERE user_id = %s", person.id)
    read = good(await person.http.get(f"/api/profiles/{person.id}"))
    assert_shape(read, PROFILE)
    assert (read["user_id"], read["first_name"], read["last_name"]) == (person.id, None, None)
    assert await update_profile(person, first_name="Ann") == ["Ann", None]
    assert await update_profile(person, last_name="Lee") == ["Ann", "Lee"]
    assert good(await person.http.get(f"/api/profiles/{person.id}"))["id"] == read["id"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"first_name": 5}, "first_name"),
        ({"last_name": "\x00"}, "last_name"),
        ({"first_name": "x" * 256}, "first_name"),
    ],
    ids=["number", "nul", "long"],
)
async def test_what_is_wrong_with_a_profile_is_one_sentence(
    reader: User, changes: dict[str, object], field: str
) -> None:
    told(await reader.http.patch(f"/api/profiles/{reader.id}", json=changes), field)
