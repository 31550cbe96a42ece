"""Who changes how he signs in has shown who he is a short while ago."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx2
import pytest

from gateway.accounts.choosing import WRONG
from gateway.accounts.confirming import NO_SIGN_IN
from shared.tokens import issue_user_token
from tests.gateway.shapes import good, refused
from tests.sql import Sql
from tests.system import System
from tests.users import PASSWORD, User, register_user

KEYS, SIGN_INS, CONFIRMATION = "/api/keys", "/api/sessions/sign-ins", "/api/me/confirmation"
KEY = {"name": "my editor", "scopes": ["chat"]}
CHALLENGE = 'Bearer error="insufficient_user_authentication", max_age=900'
SAYS = "Please show again that it is you: sign in, or confirm your password"


@pytest.fixture
async def person(system: System) -> AsyncIterator[User]:
    """Somebody with a password who has just logged in."""
    async with register_user(system.gateway) as user:
        yield user


def _age(sql: Sql, user: User, seconds: int = 901) -> None:
    sql(
        """
        UPDATE sign_ins SET authenticated_at = now() - make_interval(secs => %s)
        WHERE user_id = %s
        """,
        *(seconds, user.id),
    )


def assert_asks_again(answer: httpx2.Response) -> None:
    assert (answer.status_code, answer.json()) == (403, {"detail": SAYS})
    assert answer.headers["www-authenticate"] == CHALLENGE


async def _confirm(user: User, password: str = PASSWORD) -> httpx2.Response:
    return await user.http.post(CONFIRMATION, json={"password": password})


async def test_who_has_just_logged_in_is_not_asked(person: User, sql: Sql) -> None:
    _age(sql, person, 890)
    good(await person.http.post(KEYS, json=KEY))
    assert good(await person.http.delete(SIGN_INS)) == {"ended": 0}


async def test_one_of_some_time_ago_makes_no_key_and_ends_no_other(person: User, sql: Sql) -> None:
    _age(sql, person)
    [current] = good(await person.http.get(SIGN_INS))["sign_ins"]
    assert_asks_again(await person.http.post(KEYS, json=KEY))
    assert_asks_again(await person.http.delete(SIGN_INS))
    assert_asks_again(await person.http.delete(f"{SIGN_INS}/{current['id']}"))
    assert sql("SELECT FROM api_keys WHERE user_id = %s", person.id) == []
    assert (await person.http.post("/api/logout")).status_code == 204


async def test_the_password_makes_it_recent_again(person: User, sql: Sql) -> None:
    _age(sql, person)
    assert refused(await _confirm(person, "wrong")) == WRONG
    assert_asks_again(await person.http.post(KEYS, json=KEY))
    assert (await _confirm(person)).status_code == 204
    good(await person.http.post(KEYS, json=KEY))


async def test_it_is_the_sign_in_that_counts_and_no_other_of_the_user(
    person: User, sql: Sql
) -> None:
    _age(sql, person)
    form = {"username": person.name, "password": PASSWORD}
    good(await person.http.post("/api/login/access-token", data=form))
    assert_asks_again(await person.http.post(KEYS, json=KEY))


async def test_a_renewed_token_is_not_a_login(person: User, sql: Sql) -> None:
    form = {"username": person.name, "password": PASSWORD, "scope": "offline_access"}
    given = good(await person.http.post("/api/login/access-token", data=form))
    _age(sql, person)
    form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    token = good(await person.http.post("/api/login/access-token", data=form))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert_asks_again(await person.http.post(KEYS, json=KEY, headers=headers))


async def test_a_token_of_no_sign_in_is_never_recent(person: User, system: System) -> None:
    token = issue_user_token(system.settings.secret_key, UUID(person.id))
    headers = {"Authorization": f"Bearer {token}"}
    assert_asks_again(await person.http.post(KEYS, json=KEY, headers=headers))
    shown = {"password": PASSWORD}
    answer = await person.http.post(CONFIRMATION, json=shown, headers=headers)
    assert refused(answer) == NO_SIGN_IN


async def test_an_installation_need_not_ask(system: System, sql: Sql) -> None:
    system.start_gateway(RECENT_SIGN_IN_SECONDS="0")
    async with register_user(system.gateways.pop()) as user:
        _age(sql, user)
        good(await user.http.post(KEYS, json=KEY))
