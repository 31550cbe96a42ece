"""Who signs out at a provider is signed out here too, within a second."""

import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from gateway.identities.providers import Provider
from gateway.identities.tokens import UntrustedError, read_logout_token
from gateway.remote.outbound import Outbound
from shared.settings.providers import ProviderSettings
from tests.gateway.identities.browsing import PAGE, Page, bearer
from tests.gateway.identities.scripted import CLIENT, EVENT, Claims, Scripted, unsigned
from tests.gateway.identities.signing import sign_in
from tests.users import eventually

PATH = "/api/login/oidc/scripted/backchannel-logout"
SIGN_INS = "/api/sessions/sign-ins"


async def _tell(page: Page, token: str) -> httpx2.Response:
    return await page.browser.post(PATH, data={"logout_token": token})


async def _is_in(page: Page, tokens: Claims) -> bool:
    return (await page.browser.get(SIGN_INS, headers=bearer(tokens))).status_code == 200


async def test_a_session_that_ended_there_ends_here_and_no_other(
    page: Page, scripted: Scripted, person: Claims
) -> None:
    first = await sign_in(page, scripted)
    person["sid"] = "another session"
    second = await sign_in(page, scripted)
    told = await _tell(page, scripted.make_logout_token(sid=person["sid"]))
    assert (told.status_code, told.content) == (200, b"")
    assert told.headers["cache-control"] == "no-store"
    assert (await _is_in(page, first), await _is_in(page, second)) == (True, False)


async def test_by_a_session_alone_it_is_found_too(
    page: Page, scripted: Scripted, person: Claims
) -> None:
    tokens = await sign_in(page, scripted)
    await _tell(page, scripted.make_logout_token(sid=person["sid"], sub=None))
    assert not await _is_in(page, tokens)


async def test_by_a_subject_alone_all_of_his_end(
    page: Page, scripted: Scripted, person: Claims
) -> None:
    both = [await sign_in(page, scripted)]
    person["sid"] = "another session"
    both.append(await sign_in(page, scripted))
    await _tell(page, scripted.make_logout_token())
    assert [await _is_in(page, each) for each in both] == [False, False]


async def test_one_of_which_no_session_is_known_ends_with_any(
    page: Page, scripted: Scripted, person: Claims
) -> None:
    del person["sid"]
    tokens = await sign_in(page, scripted)
    await _tell(page, scripted.make_logout_token(sid="any"))
    assert not await _is_in(page, tokens)


async def test_the_other_gateways_know_within_a_second(
    page: Page, scripted: Scripted, system: Any
) -> None:
    tokens = await sign_in(page, scripted)
    async with httpx2.AsyncClient(base_url=system.gateway, verify=False) as elsewhere:

        async def is_out() -> bool:
            return (await elsewhere.get(SIGN_INS, headers=bearer(tokens))).status_code == 401

        assert not await is_out()
        await _tell(page, scripted.make_logout_token())
        await eventually(is_out, "it is over at the other gateway", 1.0)


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"iss": "https://evil.example"}, "'iss'"),
        ({"aud": "another-client"}, "'aud'"),
        ({"iat": int(time.time()) - 3600}, "'iat'"),
        ({"iat": int(time.time()) + 3600}, "future"),
        ({"iat": None}, "'iat'"),
        ({"exp": int(time.time()) - 120}, "expired"),
        ({"jti": None}, "'jti'"),
        ({"events": None}, "'events'"),
        ({"events": {"http://other": {}}}, "'events'"),
        ({"events": {EVENT: "yes"}}, "'events'"),
        ({"events": [EVENT]}, "no token"),
        ({"nonce": "n"}, "'nonce'"),
        ({"sub": None}, "'sub'"),
        ({"sid": 7}, "'sub'"),
        ({"typ": "at+jwt"}, "'typ'"),
        ({"typ": "JWT"}, "'typ'"),
        ({"typ": ""}, "'typ'"),
    ],
)
async def test_what_is_no_logout_token_ends_nothing(
    page: Page, scripted: Scripted, claims: Claims, why: str
) -> None:
    tokens = await sign_in(page, scripted)
    told = await _tell(page, scripted.make_logout_token(**claims))
    assert (told.status_code, told.json()["error"]) == (400, "invalid_request")
    assert why in told.json()["error_description"]
    assert await _is_in(page, tokens)


@pytest.mark.parametrize(
    "make",
    [
        lambda scripted: unsigned({"sub": scripted.person["sub"]}),
        lambda scripted: scripted.make_id_token("x"),
        lambda scripted: scripted.make_access_token(),
        lambda _: "no token",
        lambda _: "ö",
    ],
    ids=["unsigned", "an ID token", "an access token", "none", "no ASCII"],
)
async def test_no_other_token_is_taken_for_one(
    page: Page, scripted: Scripted, make: Callable[[Scripted], str]
) -> None:
    tokens = await sign_in(page, scripted)
    assert (await _tell(page, make(scripted))).status_code == 400
    assert await _is_in(page, tokens)


@pytest.mark.parametrize("typ", ["JWT", ""])
async def test_a_provider_that_names_no_type_is_believed_where_the_settings_say_so(
    scripted: Scripted, typ: str
) -> None:
    """None can be taken for it even so: no other token has the event."""
    token, issuer = scripted.make_logout_token(typ), scripted.url
    settings = ProviderSettings(
        name="scripted", issuer=issuer, client_id=CLIENT, untyped_logout=True
    )
    provider = Provider(settings, Outbound(5.0, allow_private=True))
    ended = await read_logout_token(provider, token)
    assert ended.subject == scripted.person["sub"]
    with pytest.raises(UntrustedError, match="'events'"):
        await read_logout_token(provider, scripted.make_logout_token(typ, events=None))
    with pytest.raises(UntrustedError, match="'typ'"):
        await read_logout_token(provider, scripted.make_logout_token("at+jwt"))


async def test_each_is_taken_once(page: Page, scripted: Scripted) -> None:
    token = scripted.make_logout_token()
    assert (await _tell(page, token)).status_code == 200
    tokens = await sign_in(page, scripted)
    again = await _tell(page, token)
    assert again.json()["detail"] == "The logout token was used before"
    assert await _is_in(page, tokens)


async def test_somebody_can_be_sent_to_sign_out_there_too(page: Page) -> None:
    sent = await page.browser.get("/api/login/oidc/npm/logout", params={"redirect_uri": PAGE})
    to = httpx2.URL(sent.headers["location"])
    assert (to.path, to.params["client_id"]) == ("/session/end", "genai")
    assert to.params["post_logout_redirect_uri"] == PAGE
    elsewhere = {"redirect_uri": "https://evil.example/"}
    refused = await page.browser.get("/api/login/oidc/npm/logout", params=elsewhere)
    assert refused.status_code == 400
    none = await page.browser.get("/api/login/oidc/scripted/logout")
    assert (none.status_code, "has no page for that" in none.text) == (400, True)
