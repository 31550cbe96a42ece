"""Somebody signs in by a provider: who that is here, and what the page gets."""

from uuid import UUID

import httpx2
import pytest

from gateway.identities.signing_in import BAD_CODE
from tests.gateway.identities.browsing import PAGE, Page, bearer
from tests.gateway.identities.conftest import Installation
from tests.gateway.identities.scripted import Claims, Scripted
from tests.gateway.identities.signing import come_with_code, sign_in, user_of
from tests.gateway.shapes import good
from tests.sql import Sql
from tests.users import connect_to, register_user

SIGN_INS = "/api/sessions/sign-ins"


async def test_a_page_learns_how_one_can_sign_in(installation: Installation) -> None:
    async with connect_to(installation.gateway) as http:
        ways = good(await http.get("/api/login/providers"))
    url = f"{installation.gateway}/api/login/oidc"
    assert ways == {
        "password": True,
        "providers": [
            {"name": "npm", "title": "The provider of npm", "url": f"{url}/npm"},
            {"name": "scripted", "title": "scripted", "url": f"{url}/scripted"},
        ],
        "mail": False,
    }


async def test_the_provider_is_asked_for_a_code_with_all_that_protects_it(page: Page) -> None:
    sent = await page.begin()
    asked = httpx2.URL(sent.headers["location"]).params
    assert asked["response_type"] == "code"
    assert asked["scope"] == "openid profile email"
    assert asked["code_challenge_method"] == "S256"
    assert {len(asked[name]) for name in ("state", "nonce", "code_challenge")} == {43}
    assert asked["redirect_uri"].endswith("/api/login/oidc/scripted/callback")
    cookie = sent.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Max-Age=600", "Path=/"} <= set(cookie.split("; "))


async def test_who_is_new_gets_an_account(
    page: Page, scripted: Scripted, person: Claims, sql: Sql
) -> None:
    tokens = await sign_in(page, scripted)
    assert tokens == {
        "access_token": tokens["access_token"],
        "refresh_token": None,
        "token_type": "Bearer",
    }
    user = user_of(sql, person)
    assert user == {
        "id": user["id"],
        "username": person["preferred_username"],
        "role": "user",
        "email": None,
        "password": "-",
    }
    profile = await page.browser.get(f"/api/profiles/{user['id']}", headers=bearer(tokens))
    assert good(profile)["user_id"] == str(user["id"])
    [sign_in_] = good(await page.browser.get("/api/sessions/sign-ins", headers=bearer(tokens)))[
        "sign_ins"
    ]
    assert sign_in_["method"] == "scripted"


async def test_who_was_here_before_gets_the_same_account(
    page: Page, scripted: Scripted, person: Claims, sql: Sql
) -> None:
    await sign_in(page, scripted)
    before = user_of(sql, person)
    person["preferred_username"] = "somebody else's name now"
    await sign_in(page, scripted)
    assert user_of(sql, person) == before


async def test_a_refresh_token_comes_where_the_page_asks_for_it(
    page: Page, scripted: Scripted
) -> None:
    tokens = await sign_in(page, scripted, scope="offline_access")
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    renewed = await page.browser.post("/api/login/access-token", data=form)
    assert good(renewed)["refresh_token"] not in {None, tokens["refresh_token"]}


async def test_no_name_that_somebody_has_is_given_away(
    page: Page, scripted: Scripted, person: Claims, installation: Installation, sql: Sql
) -> None:
    name = person["preferred_username"]
    async with register_user(installation.gateway, name) as user:
        person["preferred_username"] = f" {name.upper()}"
        await sign_in(page, scripted)
        new = user_of(sql, person)
        assert new["id"] != UUID(user.id)
        assert new["username"].startswith(f"{name.upper()}-")


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"preferred_username": "a\u200bb"}, "scripted"),
        ({"preferred_username": None, "name": "Ada {sub}"}, "Ada {sub}"),
        ({"preferred_username": 7, "email": "{sub}@example.com"}, "{sub}@example.com"),
        ({"preferred_username": "{sub}" + "x" * 500}, "{sub}" + "x" * 208),
    ],
)
async def test_whatever_it_calls_somebody_becomes_a_good_name(
    page: Page, scripted: Scripted, person: Claims, sql: Sql, claims: Claims, expected: str
) -> None:
    sub = {"sub": person["sub"]}
    for name, value in claims.items():
        person[name] = value.format_map(sub) if isinstance(value, str) else value
    await sign_in(page, scripted)
    assert user_of(sql, person)["username"].startswith(expected.format_map(sub))


async def test_a_code_is_good_once(page: Page, scripted: Scripted) -> None:
    code = await come_with_code(page, scripted)
    assert (await page.redeem(code)).status_code == 200
    again = await page.redeem(code)
    assert (again.status_code, again.json()) == (
        400,
        {"detail": BAD_CODE, "error": "invalid_grant", "error_description": BAD_CODE},
    )


async def test_a_code_is_one_however_it_is_spelt_and_ends_what_it_gave_when_it_comes_again(
    page: Page, scripted: Scripted
) -> None:
    code = await come_with_code(page, scripted)
    tokens = good(await page.redeem(code))
    spelt = code.replace("-", "+").replace("_", "/")
    assert spelt != code
    assert (await page.browser.get(SIGN_INS, headers=bearer(tokens))).status_code == 200
    assert (await page.redeem(spelt)).json()["detail"] == BAD_CODE
    assert (await page.browser.get(SIGN_INS, headers=bearer(tokens))).status_code == 401


async def test_a_code_is_good_for_the_page_alone_that_began(page: Page, scripted: Scripted) -> None:
    code = await come_with_code(page, scripted)
    other = Page(page.browser, "scripted")
    assert (await other.redeem(code)).json()["detail"] == "The code was given to another page"
    elsewhere = await page.redeem(code, redirect_uri="https://chat.example.com/other")
    assert elsewhere.json()["detail"] == BAD_CODE
    assert (await page.redeem(code[:-4] + "AAAA")).json()["detail"] == BAD_CODE
    assert (await page.redeem(code, redirect_uri=PAGE)).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        f"{PAGE}/",
        f"{PAGE}?",
        f"{PAGE}?next=/",
        f"{PAGE}/../other",
        PAGE.replace("chat", "Chat"),
        PAGE.replace(".com", ".com:443"),
        PAGE.removesuffix("/signed-in"),
        "https://chat.example.com.evil.example/",
        "https://chat.example.com@evil.example/",
        "https://chat.example.com/#here",
        "http://chat.example.com/",
        "//chat.example.com/",
        "javascript:alert(1)",
        "/signed-in",
        "",
    ],
)
async def test_codes_go_to_no_page_that_is_not_welcome(page: Page, address: str) -> None:
    page.address = address
    answer = await page.begin()
    assert answer.status_code == 400
    assert "redirect_uri" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "asked",
    [{"code_challenge_method": "plain"}, {"code_challenge": ""}, {"response_type": "token"}],
)
async def test_nobody_begins_without_a_hash_of_a_verifier(
    page: Page, asked: dict[str, str]
) -> None:
    answer = await page.begin(**asked)
    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers


async def test_own_pages_are_welcome(page: Page, installation: Installation) -> None:
    for path, status in (("/docs/signed-in", 303), ("/console", 303), ("/docs", 400)):
        page.address = f"{installation.gateway}{path}"
        assert (await page.begin()).status_code == status


async def test_there_is_no_provider_but_those_of_the_settings(page: Page) -> None:
    page.provider = "other"
    answer = await page.begin()
    assert (answer.status_code, "There is no provider" in answer.text) == (400, True)
    logout = await page.browser.post(
        "/api/login/oidc/other/backchannel-logout", data={"logout_token": "x"}
    )
    assert logout.json()["error"] == "invalid_request"


async def test_where_nobody_was_let_in_the_page_is_told(page: Page) -> None:
    asked = await page.go()
    answer = await page.come_back(state=asked["state"], error="access_denied")
    behind = "error=access_denied&state=what%20the%20page%20knows"
    assert answer.headers["location"] == f"{PAGE}#{behind}"


async def test_nothing_secret_is_logged(
    page: Page, scripted: Scripted, installation: Installation
) -> None:
    code = await come_with_code(page, scripted)
    tokens = good(await page.redeem(code))
    await page.redeem(code)
    log = installation.log.read_text()
    for secret in (*scripted.told, code, page.verifier, tokens["access_token"]):
        assert len(secret) < 8 or secret not in log
