"""Another password, by the old one or by an administrator's link, through the real gateway."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx2
import pytest

from gateway.accounts.changing import NO_MAIL, OVER, WRONG
from gateway.accounts.one_time import PREFIX
from gateway.accounts.passwords import BREACHED
from tests.gateway.shapes import denied, faults, good, refused
from tests.sql import Sql
from tests.system import System
from tests.users import PASSWORD, User, connect_to, register_user

LOGIN, REGISTER = "/api/login/access-token", "/api/register"
CHANGE, RESET = "/api/me/password", "/api/password-reset"
NEW = "An0ther-one!"
FAILURES = 10  # of a name, by default


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


async def log_in(http: httpx2.AsyncClient, name: str, password: str) -> httpx2.Response:
    return await http.post(LOGIN, data={"username": name, "password": password})


async def status_of(user: User, token: str) -> int:
    async with connect_to(str(user.http.base_url), Authorization=f"Bearer {token}") as http:
        return (await http.get("/api/chats")).status_code


async def change(user: User, new: str, old: str = PASSWORD) -> httpx2.Response:
    return await user.http.post(CHANGE, json={"old_password": old, "new_password": new})


async def test_a_password_is_changed_by_the_old_one_and_other_sign_ins_end(
    person: User, visitor: httpx2.AsyncClient
) -> None:
    other = good(await log_in(visitor, person.name, PASSWORD))["access_token"]
    assert good(await change(person, NEW)) == {"ended": 1}
    assert await status_of(person, other) == 401
    assert await status_of(person, person.token) == 200
    denied(await log_in(visitor, person.name, PASSWORD))
    assert good(await log_in(visitor, person.name, NEW))["access_token"]


async def test_a_change_wants_the_old_password(person: User, visitor: httpx2.AsyncClient) -> None:
    assert refused(await change(person, NEW, "not the old one")) == WRONG
    assert good(await log_in(visitor, person.name, PASSWORD))["access_token"]


async def test_of_two_changes_at_a_time_one_is_made(person: User) -> None:
    answers = await asyncio.gather(change(person, NEW), change(person, f"{NEW}!"))
    assert sorted(answer.status_code for answer in answers) == [200, 400]


async def test_a_weak_password_is_refused_in_the_words_of_a_registration_but_not_repeated(
    person: User,
) -> None:
    answer = await change(person, "lower-case1")
    assert faults(answer) == [("value_error", ["body", "new_password"])]
    [fault] = answer.json()["detail"]
    assert fault["msg"] == "Value error, Password must contain an uppercase character"
    assert fault["input"] is None


@pytest.mark.parametrize("password", ["Password1!", "P@ssw0rd", "1qaz@WSX", "PASSWORd1!"])
async def test_a_password_that_is_known_from_breaches_is_refused_at_a_registration(
    visitor: httpx2.AsyncClient, password: str
) -> None:
    new = {"username": f"user-{uuid4()}", "password": password}
    assert refused(await visitor.post(REGISTER, json=new)) == BREACHED
    denied(await visitor.post(LOGIN, data=new))


async def test_such_a_password_is_refused_at_a_change_and_at_a_reset(
    person: User, administrator: User, visitor: httpx2.AsyncClient
) -> None:
    assert refused(await change(person, "Password1!")) == BREACHED
    reset = {"token": await give_link(administrator, person), "new_password": "Password1!"}
    assert refused(await visitor.post(RESET, json=reset)) == BREACHED
    assert (await visitor.post(RESET, json={**reset, "new_password": NEW})).status_code == 204


async def give_link(administrator: User, person: User) -> str:
    """The token of a new link."""
    answer = await administrator.http.post(f"/api/users/{person.id}/password-reset")
    made = good(answer)
    assert made.keys() == {"token", "url", "expires_at"}
    token: str = made["token"]
    return token


async def reset(http: httpx2.AsyncClient, token: str, new: str = NEW) -> httpx2.Response:
    return await http.post(RESET, json={"token": token, "new_password": new})


async def test_an_administrators_link_sets_a_password_once_and_ends_all_sign_ins(
    person: User, administrator: User, visitor: httpx2.AsyncClient, sql: Sql
) -> None:
    token = await give_link(administrator, person)
    assert token.startswith(PREFIX)
    stored = sql("SELECT * FROM one_time_tokens WHERE user_id = %s", person.id)
    assert token not in str(stored)
    assert (await reset(visitor, token)).status_code == 204
    assert await status_of(person, person.token) == 401
    assert good(await log_in(visitor, person.name, NEW))["access_token"]
    assert refused(await reset(visitor, token, f"{NEW}!")) == OVER


async def test_a_token_is_good_for_one_of_those_who_use_it_together(
    person: User, administrator: User, visitor: httpx2.AsyncClient
) -> None:
    token = await give_link(administrator, person)
    answers = await asyncio.gather(*(reset(visitor, token, f"{NEW}{n}") for n in range(3)))
    assert sorted(answer.status_code for answer in answers) == [204, 400, 400]


async def test_a_new_link_voids_the_one_before_it(
    person: User, administrator: User, visitor: httpx2.AsyncClient
) -> None:
    first, second = [await give_link(administrator, person) for _ in range(2)]
    assert refused(await reset(visitor, first)) == OVER
    assert (await reset(visitor, second)).status_code == 204


async def test_a_change_voids_a_link(
    person: User, administrator: User, visitor: httpx2.AsyncClient
) -> None:
    token = await give_link(administrator, person)
    good(await change(person, NEW))
    assert refused(await reset(visitor, token)) == OVER


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE one_time_tokens SET expires_at = now() WHERE user_id = %s",
        "UPDATE one_time_tokens SET purpose = 'email' WHERE user_id = %s",
        "UPDATE users SET locked_at = now() WHERE id = %s",
    ],
    ids=["expired", "for something else", "locked"],
)
async def test_a_token_that_is_not_good_sets_nothing(
    person: User, administrator: User, visitor: httpx2.AsyncClient, sql: Sql, statement: str
) -> None:
    token = await give_link(administrator, person)
    sql(statement, person.id)
    assert refused(await reset(visitor, token)) == OVER


async def test_only_an_administrator_makes_links(person: User, other_user: User) -> None:
    answer = await other_user.http.post(f"/api/users/{person.id}/password-reset")
    assert answer.status_code == 403


async def test_there_is_no_link_for_nobody(administrator: User) -> None:
    nobody = str(uuid4())
    assert nobody in refused(await administrator.http.post(f"/api/users/{nobody}/password-reset"))


async def test_without_a_mail_server_it_is_said_so(visitor: httpx2.AsyncClient) -> None:
    answer = await visitor.post(f"{RESET}/mail", json={"email": "ada@example.com"})
    assert refused(answer) == NO_MAIL


async def test_who_guesses_the_old_password_is_stopped_as_at_a_login(
    person: User, visitor: httpx2.AsyncClient
) -> None:
    answers = [await change(person, NEW, "guessed") for _ in range(FAILURES + 1)]
    assert [answer.status_code for answer in answers] == [400] * FAILURES + [429]
    assert (await change(person, NEW)).status_code == 429
    assert (await log_in(visitor, person.name, PASSWORD)).status_code == 429
