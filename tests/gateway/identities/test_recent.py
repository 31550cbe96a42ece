"""When somebody has shown at a provider who he is: for what wants to know it anew."""

import time
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from gateway.accounts.changing import OVER
from gateway.accounts.one_time import hash_of
from gateway.identities.proving import SOMEBODY_ELSE
from tests.gateway.identities.browsing import Page, bearer
from tests.gateway.identities.conftest import Installation
from tests.gateway.identities.scripted import Claims, Scripted
from tests.gateway.identities.signing import come_with_code, refusal, sign_in, user_of
from tests.gateway.shapes import good, refused
from tests.gateway.signins.test_recent import KEY, KEYS, assert_asks_again
from tests.sql import Sql
from tests.users import User

IDENTITIES, EMAIL, DELETION = "/api/me/identities", "/api/me/email", "/api/me/deletion"
PROOF = "/api/email-verification/oidc"
LONG_AGO = 3600


async def test_the_provider_is_asked_to_ask_where_the_page_wants_it(page: Page) -> None:
    assert not (await page.go()).keys() & {"max_age", "prompt"}
    assert (await page.go(max_age="300"))["max_age"] == "300"
    anew = await page.go(max_age="0")
    assert (anew["max_age"], anew["prompt"]) == ("0", "login")
    for wrong in ("-1", "yes"):
        assert (await page.begin(max_age=wrong)).status_code == 422


async def test_who_has_shown_it_there_long_ago_is_asked_again(
    page: Page, scripted: Scripted, person: Claims
) -> None:
    scripted.asked_at = int(time.time()) - LONG_AGO
    headers = bearer(await sign_in(page, scripted))
    assert_asks_again(await page.browser.post(KEYS, json=KEY, headers=headers))
    scripted.asked_at = int(time.time())
    headers = bearer(await sign_in(page, scripted, max_age="0"))
    good(await page.browser.post(KEYS, json=KEY, headers=headers))


async def test_where_the_provider_does_not_say_it_coming_from_there_counts(
    page: Page, scripted: Scripted
) -> None:
    headers = bearer(await sign_in(page, scripted))
    good(await page.browser.post(KEYS, json=KEY, headers=headers))


@pytest.mark.parametrize(
    ("ago", "why"),
    [
        (None, "It does not say when it has asked who that is"),
        (LONG_AGO, "It has asked too long ago who that is"),
        (-LONG_AGO, "Its ID token is not valid (Invalid claim: 'auth_time')"),
        (1e300, "Its ID token is not valid (Invalid claim: 'auth_time')"),
    ],
)
async def test_what_was_not_asked_as_it_had_to_be_signs_nobody_in(
    page: Page, scripted: Scripted, ago: Any, why: str
) -> None:
    scripted.asked_at = None if ago is None else time.time() - ago
    assert await refusal(page, scripted, max_age="0") == why


@pytest.mark.parametrize("told", [True, "now", []])
async def test_a_time_that_is_none_signs_nobody_in(
    page: Page, scripted: Scripted, told: Any
) -> None:
    scripted.asked_at = told
    why = "Its ID token is not valid (Invalid claim: 'auth_time')"
    assert await refusal(page, scripted) == why


def _age(sql: Sql, person: Claims) -> None:
    sql(
        "UPDATE sign_ins SET authenticated_at = now() - interval '1 hour' WHERE user_id = %s",
        user_of(sql, person)["id"],
    )


async def test_who_has_no_password_shows_there_who_he_is(
    page: Page, scripted: Scripted, person: Claims, sql: Sql
) -> None:
    headers = bearer(await sign_in(page, scripted))
    scripted.person = {**person, "sub": uuid4().hex}
    code = await come_with_code(page, scripted)
    linking = {"code": code, "code_verifier": page.verifier}
    _age(sql, person)
    assert_asks_again(await page.browser.post(IDENTITIES, json=linking, headers=headers))
    assert_asks_again(await page.browser.post(EMAIL, json={"email": None}, headers=headers))
    assert_asks_again(await page.browser.post(DELETION, headers=headers))
    [own] = good(await page.browser.get(IDENTITIES, headers=headers))["identities"]
    unlinking = await page.browser.delete(f"{IDENTITIES}/{own['id']}", headers=headers)
    assert_asks_again(unlinking)
    scripted.person = person
    headers = bearer(await sign_in(page, scripted))
    good(await page.browser.post(IDENTITIES, json=linking, headers=headers))
    good(await page.browser.post(EMAIL, json={"email": None}, headers=headers))
    gone = await page.browser.delete(f"{IDENTITIES}/{own['id']}", headers=headers)
    assert gone.status_code == 204


def ask_for_mail(sql: Sql, user_id: object) -> tuple[str, str]:
    """The token that a mail brings to an address, and that address."""
    token, email = f"genaip_{uuid4().hex}", f"{uuid4().hex}@example.com"
    sql(
        """
        INSERT INTO one_time_tokens (user_id, purpose, token_hash, email, expires_at)
        VALUES (%s, 'email', %s, %s, now() + interval '1 hour')
        """,
        *(user_id, hash_of(token), email),
    )
    return token, email


async def _prove(page: Page, token: str, code: str) -> httpx2.Response:
    body = {"token": token, "code": code, "code_verifier": page.verifier}
    return await page.browser.post(PROOF, json=body)


async def test_who_has_no_password_shows_by_his_provider_that_an_address_is_his(
    page: Page, scripted: Scripted, person: Claims, sql: Sql
) -> None:
    await sign_in(page, scripted)
    token, email = ask_for_mail(sql, user_of(sql, person)["id"])
    assert refused(await _prove(page, "genaip_x", await come_with_code(page, scripted))) == OVER
    answer = await _prove(page, token, await come_with_code(page, scripted))
    assert answer.status_code == 204
    assert user_of(sql, person)["email"] == email


async def test_nobody_else_shows_it_whoever_reads_the_mail(
    page: Page, scripted: Scripted, person: Claims, user: User, sql: Sql
) -> None:
    await sign_in(page, scripted)
    token, _ = ask_for_mail(sql, user.id)
    code = await come_with_code(page, scripted)
    assert refused(await _prove(page, token, code)) == SOMEBODY_ELSE
    assert sql("SELECT email FROM users WHERE id = %s", user.id) == [{"email": None}]


async def test_the_page_of_a_mail_may_have_somebody_sign_in(
    page: Page, installation: Installation
) -> None:
    page.address = f"{installation.gateway}/email-verification"
    assert (await page.begin()).status_code == 303
