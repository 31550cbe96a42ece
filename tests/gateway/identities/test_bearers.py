"""A provider's own access tokens, where the settings say that they are taken."""

import time
from collections.abc import Callable

import httpx2
import pytest

from tests.gateway.identities.browsing import Page
from tests.gateway.identities.scripted import CLIENT, Claims, Scripted, make_key, unsigned
from tests.gateway.identities.signing import sign_in, user_of
from tests.gateway.shapes import good
from tests.sql import Sql
from tests.users import User, eventually

PATH = "/api/me/identities"


async def _call(page: Page, token: str) -> httpx2.Response:
    return await page.browser.get(PATH, headers={"Authorization": f"Bearer {token}"})


async def test_it_opens_the_account_of_whom_it_names(
    page: Page, scripted: Scripted, person: Claims
) -> None:
    await sign_in(page, scripted)
    for token in [scripted.make_access_token()] * 2:
        [identity] = good(await _call(page, token))["identities"]
        assert identity["name"] == person["preferred_username"]
    checked = await page.browser.post("/api/validate-token", json={"token": token})
    assert good(checked) == {"detail": "Token is valid"}


async def test_it_opens_nothing_for_whom_nobody_here_is(page: Page, scripted: Scripted) -> None:
    assert (await _call(page, scripted.make_access_token())).status_code == 401


@pytest.mark.parametrize(
    "make",
    [
        lambda it: it.make_access_token(iss="https://evil.example"),
        lambda it: it.make_access_token(aud="https://another.example.com"),
        lambda it: it.make_access_token(aud=CLIENT),
        lambda it: it.make_access_token(exp=int(time.time()) - 120),
        lambda it: it.make_access_token(exp=None),
        lambda it: it.make_access_token(client_id=None),
        lambda it: it.make_access_token(jti=None),
        lambda it: it.make_access_token(iat=int(time.time()) + 3600),
        lambda it: it.make_access_token(nbf=int(time.time()) + 3600),
        lambda it: it.make_access_token(typ="JWT"),
        lambda it: it.make_access_token(typ="logout+jwt"),
        lambda it: it.make_id_token("x"),
        lambda it: it.make_access_token()[:-8] + "AAAAAAAA",
        lambda it: unsigned({"iss": it.url, "sub": it.person["sub"]}),
        lambda it: it.make_access_token() + "x" * 20_000,
        lambda _: "a.b.c",
    ],
)
async def test_what_is_no_token_for_us_opens_nothing(
    page: Page, scripted: Scripted, make: Callable[[Scripted], str]
) -> None:
    await sign_in(page, scripted)
    refused = await _call(page, make(scripted))
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"


async def test_keys_may_change_between_two_calls(page: Page, scripted: Scripted) -> None:
    await sign_in(page, scripted)
    good(await _call(page, scripted.make_access_token()))
    scripted.key = make_key("another")
    asked = len(scripted.asked)
    good(await _call(page, scripted.make_access_token()))
    good(await _call(page, scripted.make_access_token()))
    assert scripted.asked[asked:] == ["metadata", "keys"]


async def test_who_is_unlinked_or_locked_is_out_within_a_second(
    page: Page, scripted: Scripted, person: Claims, user: User, sql: Sql
) -> None:
    await sign_in(page, scripted)
    token = scripted.make_access_token()
    good(await _call(page, token))
    id_ = user_of(sql, person)["id"]
    sql("UPDATE users SET locked_at = now() WHERE id = %s", id_)

    async def is_out() -> bool:
        return (await _call(page, token)).status_code == 401

    await eventually(is_out, "who is locked is out", 4.0)  # nobody has told it but the database


async def test_who_unlinks_himself_is_out_at_once(
    page: Page, scripted: Scripted, person: Claims, sql: Sql
) -> None:
    await sign_in(page, scripted)
    sql("UPDATE users SET password = 'a hash' WHERE id = %s", user_of(sql, person)["id"])
    token = scripted.make_access_token()
    [identity] = good(await _call(page, token))["identities"]
    headers = {"Authorization": f"Bearer {token}"}
    gone = await page.browser.delete(f"{PATH}/{identity['id']}", headers=headers)
    assert gone.status_code == 204
    assert (await _call(page, token)).status_code == 401


async def test_the_next_calls_cost_no_query(page: Page, scripted: Scripted, sql: Sql) -> None:
    """Whose row is changed behind everybody's back is still let in: nobody has looked."""
    await sign_in(page, scripted)
    token = scripted.make_access_token()
    good(await _call(page, token))
    sql(
        "UPDATE identities SET subject = subject || '-moved' WHERE subject = %s",
        scripted.person["sub"],
    )
    good(await _call(page, token))
    assert (await _call(page, scripted.make_access_token())).status_code == 401
