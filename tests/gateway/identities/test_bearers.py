"""A provider's own access tokens, where the settings say that they are taken."""

import time
from collections.abc import Callable

import httpx2
import pytest
from websockets.asyncio.client import connect

from tests.gateway.identities.browsing import Page, bearer
from tests.gateway.identities.conftest import Installation
from tests.gateway.identities.scripted import CLIENT, Claims, Scripted, make_key, unsigned
from tests.gateway.identities.signing import sign_in, user_of
from tests.gateway.shapes import good
from tests.sql import Sql
from tests.users import eventually

IDENTITIES = "/api/me/identities"
LOGOUT = "/api/login/oidc/scripted/backchannel-logout"


async def _call(page: Page, token: str, path: str = "/api/agents") -> httpx2.Response:
    return await page.browser.get(path, headers={"Authorization": f"Bearer {token}"})


async def test_it_opens_the_account_of_whom_it_names(
    page: Page, scripted: Scripted, person: Claims, sql: Sql
) -> None:
    await sign_in(page, scripted)
    own = str(user_of(sql, person)["id"])
    for token in [scripted.make_access_token(scope="genai:read")] * 2:
        assert good(await _call(page, token, f"/api/profiles/{own}"))["user_id"] == own
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


async def test_who_is_locked_is_out_within_a_second_and_in_again_when_he_is_unlocked(
    page: Page, scripted: Scripted, person: Claims, sql: Sql
) -> None:
    await sign_in(page, scripted)
    token, id_ = scripted.make_access_token(), user_of(sql, person)["id"]

    async def is_in() -> bool:
        return (await _call(page, token)).status_code == 200

    async def is_out() -> bool:
        return not await is_in()

    assert await is_in()
    sql("UPDATE users SET locked_at = now() WHERE id = %s", id_)
    await eventually(is_out, "who is locked is out", 4.0)  # nobody has told it but the database
    sql("UPDATE users SET locked_at = NULL WHERE id = %s", id_)
    await eventually(is_in, "who is unlocked is in again", 0.5)


async def test_who_unlinks_himself_is_out_at_once(
    page: Page, scripted: Scripted, person: Claims, sql: Sql
) -> None:
    headers = bearer(await sign_in(page, scripted))
    sql("UPDATE users SET password = 'a hash' WHERE id = %s", user_of(sql, person)["id"])
    token = scripted.make_access_token()
    good(await _call(page, token))
    [identity] = good(await page.browser.get(IDENTITIES, headers=headers))["identities"]
    gone = await page.browser.delete(f"{IDENTITIES}/{identity['id']}", headers=headers)
    assert gone.status_code == 204
    assert (await _call(page, token)).status_code == 401


@pytest.mark.parametrize("named", [{}, {"sid": "another session"}, {"sub": None}])
async def test_who_signs_out_there_ends_the_tokens_of_before(
    page: Page, scripted: Scripted, person: Claims, named: Claims
) -> None:
    await sign_in(page, scripted)
    at = int(time.time())
    before, same, after = (scripted.make_access_token(iat=at + each) for each in (-9, 0, 1))
    said = {**named, "sid": person["sid"]} if "sub" in named else named
    for token in (before, same, after):
        good(await _call(page, token))
    logout = scripted.make_logout_token(iat=at, **said)
    assert (await page.browser.post(LOGOUT, data={"logout_token": logout})).status_code == 200
    found = [(await _call(page, each)).status_code for each in (before, same, after)]
    assert found == [401, 401, 200]


async def test_who_signs_out_there_ends_no_token_of_anybody_else(
    page: Page, scripted: Scripted, person: Claims
) -> None:
    await sign_in(page, scripted)
    token = scripted.make_access_token()
    logout = scripted.make_logout_token(sub=f"not {person['sub']}", sid=person["sid"])
    assert (await page.browser.post(LOGOUT, data={"logout_token": logout})).status_code == 200
    good(await _call(page, token))


async def test_a_socket_is_closed_when_he_signs_out_there(
    page: Page, scripted: Scripted, installation: Installation
) -> None:
    await sign_in(page, scripted)
    url = installation.gateway.replace("http", "ws", 1)
    token = scripted.make_access_token(scope="genai:chat")
    async with connect(f"{url}/frontend/ws?token={token}", origin=None) as socket:
        logout = scripted.make_logout_token()
        assert (await page.browser.post(LOGOUT, data={"logout_token": logout})).status_code == 200
        await socket.wait_closed()
    assert (socket.close_code, socket.close_reason) == (3000, "signed out")


@pytest.mark.parametrize(
    ("claims", "opened"),
    [
        ({}, {"/api/agents"}),
        ({"scope": "openid profile"}, {"/api/agents"}),
        ({"scope": "openid genai:read"}, {"/api/agents", "/api/usage"}),
        ({"scp": ["genai:chat"]}, set()),
        ({"scp": "genai:agents genai:admin"}, {"/api/agents", "/api/users"}),
        ({"scope": "read genai:chat"}, set()),
        ({"scope": ["genai:read", 7, {}], "scp": 7}, {"/api/agents", "/api/usage"}),
    ],
)
async def test_it_opens_what_its_scopes_name_and_never_the_account_itself(
    page: Page, scripted: Scripted, person: Claims, sql: Sql, claims: Claims, opened: set[str]
) -> None:
    await sign_in(page, scripted)
    sql("UPDATE users SET role = 'admin' WHERE id = %s", user_of(sql, person)["id"])
    token = scripted.make_access_token(**claims)
    paths = ("/api/agents", "/api/usage", "/api/users", IDENTITIES, "/api/keys")
    answers = {path: await _call(page, token, path) for path in paths}
    assert {path for path, answer in answers.items() if answer.status_code == 200} == opened
    refused = [answer for path, answer in answers.items() if path not in opened]
    assert {answer.status_code for answer in refused} == {403}
    assert all("insufficient_scope" in each.headers["www-authenticate"] for each in refused)


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
