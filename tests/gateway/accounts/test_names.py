"""Names that look the same are one name, however they are typed; old ones work as they did."""

import asyncio
from typing import Any
from unicodedata import normalize
from uuid import uuid4

import httpx2
import pytest

from gateway.accounts.names import FOLDED_LIMIT, NAME_LIMIT, clean, fold, objection_to
from gateway.accounts.passwords import Passwords
from tests.gateway.accounts.test_accounts import LOGIN, REGISTER, new_user
from tests.gateway.shapes import denied, good, refused
from tests.sql import Sql
from tests.users import PASSWORD

WRONG = "Incorrect username or password"


def spellings(name: str) -> list[str]:
    """Other ways to write it."""
    return [
        name.upper(),
        f" {name}\t",
        f"{name}\u00a0",
        normalize("NFD", name),
        name.replace("a", "\uff41"),
    ]


@pytest.fixture
def name() -> str:
    return f"José-alice-{uuid4().hex}"


def test_the_spellings_of_a_name_have_one_form(name: str) -> None:
    assert {fold(other) for other in spellings(name)} == {fold(name)}


async def test_a_name_that_looks_the_same_is_taken(visitor: httpx2.AsyncClient, name: str) -> None:
    good(await visitor.post(REGISTER, json=new_user(username=name)))
    for other in spellings(name):
        detail = refused(await visitor.post(REGISTER, json=new_user(username=other)))
        assert detail == f"User '{clean(other)}' already exists"


async def test_names_that_look_the_same_are_taken_once_by_those_who_come_together(
    visitor: httpx2.AsyncClient, name: str
) -> None:
    posts = (visitor.post(REGISTER, json=new_user(username=one)) for one in spellings(name))
    assert sorted([answer.status_code for answer in await asyncio.gather(*posts)]) == [
        200,
        *[400] * 4,
    ]


async def test_a_login_takes_any_spelling_of_the_name(
    visitor: httpx2.AsyncClient, name: str
) -> None:
    good(await visitor.post(REGISTER, json=new_user(username=name)))
    for other in spellings(name):
        good(await visitor.post(LOGIN, data=new_user(username=other)))


@pytest.mark.parametrize("sent", ["  {}  ", "{}\n", "{}\u3000"], ids=ascii)
async def test_a_name_is_stored_without_the_blanks_around_it(
    visitor: httpx2.AsyncClient, name: str, sent: str
) -> None:
    new = new_user(username=sent.format(name))
    assert good(await visitor.post(REGISTER, json=new))["username"] == name


async def test_a_name_is_stored_composed_and_in_its_own_case(
    visitor: httpx2.AsyncClient, name: str
) -> None:
    new = new_user(username=normalize("NFD", name))
    assert good(await visitor.post(REGISTER, json=new))["username"] == name


@pytest.mark.parametrize(
    "inside",
    [
        *("\u200b", "\u200d", "\u00ad", "\n", "\t", "\x07", "\u2028", "\u202e", "\ufeff"),
        *("\u3164", "\u115f", "\ufe0f", "\u2800", "\u034f", "\U000e0041", "\ue000"),
    ],
    ids=ascii,
)
async def test_a_name_with_what_nobody_sees_is_refused(
    visitor: httpx2.AsyncClient, inside: str
) -> None:
    answer = await visitor.post(REGISTER, json=new_user(username=f"al{inside}ice {uuid4()}"))
    assert refused(answer) == "'username' must have no invisible characters or line breaks"


@pytest.mark.parametrize("name", ["", " ", "\r\n", "\u3000\u00a0"], ids=ascii)
async def test_a_name_is_not_empty(visitor: httpx2.AsyncClient, name: str) -> None:
    answer = await visitor.post(REGISTER, json=new_user(username=name))
    assert refused(answer) == "'username' must not be empty"


@pytest.mark.parametrize("name", ["x", "x" * 255, " " * 300 + "y", "用户 😀", "Ünïcødé-ß"])
def test_a_good_name_has_no_objection(name: str) -> None:
    assert objection_to(name) is None


@pytest.mark.parametrize("name", ["x" * 256, "\ufdfa" * 15, "e\u0301" * 256, " " * 2000 + "x"])
def test_a_name_has_at_most_255_characters_as_it_is_stored(name: str) -> None:
    assert objection_to(name) == f"'username' must have at most {NAME_LIMIT} characters"


def test_a_very_long_name_is_its_own_form() -> None:
    marks = "\u0301\u0316" * FOLDED_LIMIT
    assert fold(marks) == marks


@pytest.mark.parametrize(
    "name",
    ["José", "ΣΊΣΥΦΟΣ", "İ", "Straße", "\u1e9e", "Ꭰ", "\u200b x\u00ad", "ﷺ", "\u212b"],
    ids=ascii,
)
def test_what_is_one_name_for_the_database_is_one_for_who_counts(sql: Sql, name: str) -> None:
    others = [name, name.upper(), name.lower(), f" {name}\n", normalize("NFD", name)]
    rows = sql("SELECT name, fold_name(name) AS folded FROM unnest(%s::text[]) AS name", others)
    for row in rows:
        same = {fold(one["name"]) for one in rows if one["folded"] == row["folded"]}
        assert len(same) == 1


async def insert_old(sql: Sql, *names: str) -> list[str]:
    """Users of before, each with a password of its own; their ids."""
    passwords = Passwords()
    ids = []
    for number, name in enumerate(names):
        hashed = await passwords.hash(f"{PASSWORD}{number}")
        values = (uuid4(), name, hashed)
        sql("INSERT INTO users (id, username, password) VALUES (%s, %s, %s)", *values)
        ids.append(str(values[0]))
    passwords.close()
    return ids


async def log_in(visitor: httpx2.AsyncClient, name: str, number: int) -> httpx2.Response:
    return await visitor.post(LOGIN, data={"username": name, "password": f"{PASSWORD}{number}"})


async def test_old_users_whose_names_look_the_same_log_in_by_their_own(
    visitor: httpx2.AsyncClient, sql: Sql, name: str
) -> None:
    names = [name, name.upper(), f"{name} ", normalize("NFD", name), f"{name[:3]}\u200b{name[3:]}"]
    await insert_old(sql, *names)
    for number, own in enumerate(names):
        good(await log_in(visitor, own, number))
    refused(await visitor.post(REGISTER, json=new_user(username=name.lower())))


async def test_nobody_logs_in_by_a_spelling_that_several_old_users_might_mean(
    visitor: httpx2.AsyncClient, sql: Sql, name: str
) -> None:
    names = [name, name.upper()]
    await insert_old(sql, *names)
    for number, own in enumerate(names):
        assert denied(await log_in(visitor, name.lower(), number)) == WRONG
        assert denied(await log_in(visitor, own, 1 - number)) == WRONG


async def test_an_old_user_whose_name_nobody_else_has_logs_in_by_any_spelling(
    visitor: httpx2.AsyncClient, sql: Sql, name: str
) -> None:
    await insert_old(sql, f" {name.upper()}\n")
    for other in (f" {name.upper()}\n", *spellings(name)):
        good(await log_in(visitor, other, 0))


async def test_names_of_old_users_are_taken_in_any_spelling(
    visitor: httpx2.AsyncClient, sql: Sql, name: str
) -> None:
    await insert_old(sql, name)
    for other in spellings(name):
        refused(await visitor.post(REGISTER, json=new_user(username=other)))


@pytest.mark.parametrize("name", ["", "\u200b", "x" * 2000], ids=lambda name: ascii(name)[:20])
async def test_an_old_user_with_an_odd_name_logs_in(
    visitor: httpx2.AsyncClient, sql: Sql, name: str
) -> None:
    [id_] = await insert_old(sql, name)
    good(await log_in(visitor, name, 0))
    sql("DELETE FROM users WHERE id = %s", id_)


PRECOMPOSED = "Pässw0rd!é"


@pytest.mark.parametrize(
    ("registered", "typed"),
    [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFKD"), ("NFD", "NFD")],
)
async def test_a_password_is_one_however_its_letters_are_composed(
    visitor: httpx2.AsyncClient, registered: Any, typed: Any
) -> None:
    new = new_user(password=normalize(registered, PRECOMPOSED))
    good(await visitor.post(REGISTER, json=new))
    good(await visitor.post(LOGIN, data={**new, "password": normalize(typed, PRECOMPOSED)}))
    wrong = {**new, "password": PRECOMPOSED.replace("ä", "a")}
    assert denied(await visitor.post(LOGIN, data=wrong)) == WRONG
