"""Which account a provider's person is: by a mail that both have verified, or by his own word."""

import asyncio
from uuid import uuid4

import httpx2
import pytest

from gateway.accounts.emails import WRONG
from gateway.identities.own import LAST, TAKEN
from gateway.identities.signing_in import BAD_CODE
from tests.gateway.identities.browsing import Page, bearer
from tests.gateway.identities.conftest import Installation
from tests.gateway.identities.scripted import Claims, Scripted
from tests.gateway.identities.signing import come_with_code, sign_in, user_of
from tests.gateway.shapes import good, refused
from tests.sql import Sql
from tests.users import PASSWORD, User, register_user

PATH = "/api/me/identities"


def _know_mail(sql: Sql, user: User, *, verified: bool = True) -> str:
    email = f"{uuid4().hex}@example.com"
    sql(
        "UPDATE users SET email = %s, email_verified_at = CASE WHEN %s THEN now() END"
        " WHERE id = %s",
        *(email, verified, user.id),
    )
    return email


async def _link(page: Page, user: User, code: str, **others: str) -> httpx2.Response:
    body = {"code": code, "code_verifier": page.verifier, **others}
    return await page.browser.post(PATH, json=body, headers=_own(user))


def _own(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {user.token}"}


async def test_a_mail_that_both_sides_have_verified_links(
    page: Page, scripted: Scripted, person: Claims, user: User, sql: Sql
) -> None:
    person |= {"email": _know_mail(sql, user).upper(), "email_verified": True}
    await sign_in(page, scripted)
    assert str(user_of(sql, person)["id"]) == user.id


@pytest.mark.parametrize(
    ("ours", "theirs"), [(False, True), (True, False), (True, None), (True, "true")]
)
async def test_any_other_does_not(
    page: Page,
    scripted: Scripted,
    person: Claims,
    user: User,
    sql: Sql,
    ours: bool,
    theirs: object,
) -> None:
    person |= {"email": _know_mail(sql, user, verified=ours), "email_verified": theirs}
    await sign_in(page, scripted)
    assert str(user_of(sql, person)["id"]) != user.id


async def test_the_mail_of_a_new_account_is_kept_if_it_is_verified(
    page: Page, scripted: Scripted, person: Claims, sql: Sql
) -> None:
    email = f"{person['sub']}@Example.com"
    person |= {"email": email, "email_verified": True}
    await sign_in(page, scripted)
    assert user_of(sql, person)["email"] == email.lower()


async def test_letters_that_become_others_when_they_are_made_small_link_nobody(
    page: Page, scripted: Scripted, person: Claims, user: User, sql: Sql
) -> None:
    email = f"k{_know_mail(sql, user)}"
    sql("UPDATE users SET email = %s WHERE id = %s", email, user.id)
    person |= {"email": f"\u212a{email[1:]}", "email_verified": True}  # the sign of the kelvin
    await sign_in(page, scripted)
    assert str(user_of(sql, person)["id"]) != user.id


async def test_two_who_come_at_the_same_time_are_one(
    page: Page, scripted: Scripted, person: Claims, sql: Sql
) -> None:
    person |= {"email": f"{person['sub']}@example.com", "email_verified": True}
    codes = [await come_with_code(page, scripted) for _ in range(4)]
    answers = await asyncio.gather(*(page.redeem(code) for code in codes))
    assert [answer.text for answer in answers if answer.status_code != 200] == []
    assert user_of(sql, person)["email"] == person["email"]
    [count] = sql("SELECT count(*) FROM users WHERE username LIKE %s", f"ada-{person['sub']}%")
    assert count["count"] == 1


async def test_the_signed_in_user_links_and_unlinks(
    page: Page, scripted: Scripted, person: Claims, user: User, sql: Sql
) -> None:
    linked = good(await _link(page, user, await come_with_code(page, scripted)))
    sql("UPDATE users SET password = 'a hash' WHERE id = %s", user.id)
    assert (linked["provider"], linked["name"]) == ("scripted", person["preferred_username"])
    assert str(user_of(sql, person)["id"]) == user.id
    tokens = await sign_in(page, scripted)
    mine = good(await page.browser.get(PATH, headers=bearer(tokens)))
    assert [each["id"] for each in mine["identities"]] == [linked["id"]]
    gone = await page.browser.delete(f"{PATH}/{linked['id']}", headers=_own(user))
    assert gone.status_code == 204
    after = await page.browser.get(PATH, headers=bearer(tokens))
    assert after.status_code == 401, "who signed in by it is signed out"
    assert good(await page.browser.get(PATH, headers=_own(user))) == {"identities": []}


async def test_who_has_a_password_links_by_it_alone(
    page: Page, scripted: Scripted, person: Claims, installation: Installation, sql: Sql
) -> None:
    async with register_user(installation.gateway) as user:
        code = await come_with_code(page, scripted)
        for wrong in ({}, {"password": "another"}):
            assert refused(await _link(page, user, code, **wrong)) == WRONG
        good(await _link(page, user, code, password=PASSWORD))
        assert str(user_of(sql, person)["id"]) == user.id


async def test_the_last_way_in_stays(page: Page, scripted: Scripted) -> None:
    headers = bearer(await sign_in(page, scripted))
    [only] = good(await page.browser.get(PATH, headers=headers))["identities"]
    answer = await page.browser.delete(f"{PATH}/{only['id']}", headers=headers)
    assert (answer.status_code, answer.json()) == (400, {"detail": LAST})


async def test_nobody_links_who_is_somebody_else_s(
    page: Page, scripted: Scripted, user: User, installation: Installation
) -> None:
    await sign_in(page, scripted)
    answer = await _link(page, user, await come_with_code(page, scripted))
    assert (answer.status_code, answer.json()) == (400, {"detail": TAKEN})


async def test_a_code_is_for_one_of_both(page: Page, scripted: Scripted, user: User) -> None:
    code = await come_with_code(page, scripted)
    good(await _link(page, user, code))
    assert (await page.redeem(code)).json()["detail"] == BAD_CODE


async def test_nobody_links_by_the_code_of_another_page(
    page: Page, scripted: Scripted, user: User
) -> None:
    """An attacker's code, brought to the page of somebody who is signed in."""
    code = await come_with_code(page, scripted)
    answer = await _link(Page(page.browser, "scripted"), user, code)
    assert answer.json() == {"detail": "The code was given to another page"}


async def test_who_is_locked_does_not_sign_in(
    page: Page, scripted: Scripted, person: Claims, sql: Sql
) -> None:
    await sign_in(page, scripted)
    sql("UPDATE users SET locked_at = now() WHERE id = %s", user_of(sql, person)["id"])
    answer = await page.redeem(await come_with_code(page, scripted))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
