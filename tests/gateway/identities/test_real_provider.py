"""Sign-ins at a certified provider, oidc-provider of npm."""

import re
import secrets
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx2
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from tests.gateway.identities.browsing import Page, bearer
from tests.gateway.identities.conftest import PROGRAM, PROGRAM_PAGE, Installation
from tests.gateway.identities.scripted import AUDIENCE
from tests.gateway.shapes import good
from tests.gateway.signins.test_recent import KEY
from tests.sql import Sql
from tests.users import connect_to, eventually

_action = re.compile(r'<form[^>]* action="([^"]+)"')
_prompt = re.compile(r'name="prompt" value="(\w+)"')
SIGN_INS = "/api/sessions/sign-ins"
IDENTITIES = "/api/me/identities"


@pytest.fixture
async def there() -> AsyncIterator[httpx2.AsyncClient]:
    """The browser's side of the provider, where somebody stays signed in."""
    async with httpx2.AsyncClient(verify=False, timeout=30) as http:
        yield http


async def _follow(there: httpx2.AsyncClient, url: str, name: str, until: str) -> dict[str, str]:
    """Go where one is sent, sign in by that name where one is asked, and come back."""
    answer = await there.get(url)
    for _ in range(10):
        if answer.status_code == 200:
            form = _action.search(answer.text)
            assert form, answer.text
            to = answer.url.join(form[1])
            prompt = _prompt.search(answer.text)
            assert prompt, answer.text
            fields = {"prompt": prompt[1], "login": name, "password": "any"}
            answer = await there.post(to, data=fields)
            continue
        assert answer.is_redirect, answer.text
        to = answer.url.join(answer.headers["location"])
        if str(to).startswith(until):
            return dict(parse_qsl(urlsplit(str(to)).query))
        answer = await there.get(to)
    pytest.fail(f"it goes on and on: {answer.text}")


async def _sign_in(
    page: Page, there: httpx2.AsyncClient, name: str, **begin: str
) -> dict[str, Any]:
    sent = await page.begin(**begin)
    assert sent.status_code == 303, sent.text
    back = await _follow(there, sent.headers["location"], name, str(page.browser.base_url))
    code = await page.code_of(await page.come_back(**back))
    tokens: dict[str, Any] = good(await page.redeem(code))
    return tokens


@pytest.fixture
def page(browser: httpx2.AsyncClient) -> Page:
    return Page(browser, "npm")


async def test_somebody_signs_in_and_again_and_out(
    page: Page, there: httpx2.AsyncClient, installation: Installation, sql: Sql
) -> None:
    name = f"admin-{uuid4().hex}"
    tokens = await _sign_in(page, there, name)
    [user] = sql("SELECT role, email FROM users WHERE username = %s", name)
    assert user == {"role": "admin", "email": f"{name}@example.com"}
    other = await _sign_in(page, there, "nobody asks who is signed in there")
    [mine] = good(await page.browser.get(IDENTITIES, headers=bearer(other)))["identities"]
    assert (mine["provider"], mine["name"]) == ("npm", name)

    # Nobody has that group any more but by another sign-in; who signs out there is out here.
    sql("UPDATE users SET role = 'user' WHERE username = %s", name)
    await _sign_in(page, there, name)
    [user] = sql("SELECT role FROM users WHERE username = %s", name)
    assert user == {"role": "admin"}
    await _sign_out(there, installation.real)

    async def is_out() -> bool:
        answers = [await page.browser.get(SIGN_INS, headers=bearer(each)) for each in both]
        return {answer.status_code for answer in answers} == {401}

    both = (tokens, other)
    await eventually(is_out, "both sign-ins of that session are over", 2.0)


async def _sign_out(there: httpx2.AsyncClient, provider: str) -> None:
    asked = await there.get(f"{provider}/session/end")
    form = _action.search(asked.text)
    xsrf = re.search(r'name="xsrf" value="([^"]+)"', asked.text)
    assert form, asked.text
    assert xsrf, asked.text
    done = await there.post(asked.url.join(form[1]), data={"xsrf": xsrf[1], "logout": "yes"})
    assert done.status_code in {200, 303}, done.text


async def test_it_asks_again_who_that_is_where_the_page_wants_it(
    page: Page, there: httpx2.AsyncClient, sql: Sql
) -> None:
    name = f"person-{uuid4().hex}"
    await _sign_in(page, there, name)
    age = """
        UPDATE sign_ins SET authenticated_at = now() - interval '1 hour'
        FROM users WHERE users.id = user_id AND username = %s
    """
    sql(age, name)
    tokens = await _sign_in(page, there, name, max_age="0")
    key = await page.browser.post("/api/keys", json=KEY, headers=bearer(tokens))
    assert good(key)["name"] == KEY["name"]


async def test_who_is_in_no_group_is_no_administrator_any_more(
    page: Page, there: httpx2.AsyncClient, sql: Sql
) -> None:
    name = f"person-{uuid4().hex}"
    await _sign_in(page, there, name)
    sql("UPDATE users SET role = 'admin' WHERE username = %s", name)
    await _sign_in(page, there, name)
    [user] = sql("SELECT role FROM users WHERE username = %s", name)
    assert user == {"role": "user"}


async def test_a_mail_that_it_has_not_verified_is_none(
    page: Page, there: httpx2.AsyncClient, sql: Sql
) -> None:
    name = f"unverified-{uuid4().hex}"
    await _sign_in(page, there, name)
    assert sql("SELECT email FROM users WHERE username = %s", name) == [{"email": None}]


async def test_its_own_access_token_opens_the_account(
    page: Page, there: httpx2.AsyncClient, installation: Installation, sql: Sql
) -> None:
    name = f"person-{uuid4().hex}"
    await _sign_in(page, there, name)
    [user] = sql("SELECT id FROM users WHERE username = %s", name)
    token = await _token_of_program(there, installation.real, name)
    async with connect_to(installation.gateway, Authorization=f"Bearer {token}") as http:
        good(await http.get(f"/api/profiles/{user['id']}"))
        assert (await http.get(IDENTITIES)).status_code == 403
        await _sign_out(there, installation.real)

        async def is_out() -> bool:
            return (await http.get("/api/agents")).status_code == 401

        await eventually(is_out, "a token of before is over", 2.0)


async def _token_of_program(there: httpx2.AsyncClient, provider: str, name: str) -> str:
    """What another program of the same person's has for us."""
    verifier = secrets.token_urlsafe(32)
    asked = {
        "client_id": PROGRAM,
        "redirect_uri": PROGRAM_PAGE,
        "response_type": "code",
        "scope": "openid api",
        "resource": AUDIENCE,
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    url = str(httpx2.URL(f"{provider}/auth", params=asked))
    back = await _follow(there, url, name, PROGRAM_PAGE)
    form = {
        "grant_type": "authorization_code",
        "client_id": PROGRAM,
        "redirect_uri": PROGRAM_PAGE,
        "code": back["code"],
        "code_verifier": verifier,
        "resource": AUDIENCE,
    }
    return str(good(await there.post(f"{provider}/token", data=form))["access_token"])
