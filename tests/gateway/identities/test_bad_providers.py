"""What is no good is refused, by a sentence that says why: of a provider, or of who plays one."""

import hmac
import time
from collections.abc import Callable

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from gateway.identities.routes import OVER
from tests.gateway.identities.browsing import Page
from tests.gateway.identities.conftest import Installation
from tests.gateway.identities.scripted import (
    CLIENT,
    SECRET,
    Claims,
    Scripted,
    in_base64,
    make_key,
    told_behind,
    unsigned,
)
from tests.gateway.identities.signing import come_with_code, refusal, sign_in
from tests.users import connect_to

NOT_VALID = "Its ID token is not valid"


def _set(**claims: object) -> Callable[[Claims], None]:
    return lambda given: given.update(claims)


def _without(name: str) -> Callable[[Claims], object]:
    return lambda given: given.pop(name)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_set(iss="https://evil.example"), "Invalid claim: 'iss'"),
        (_set(aud="another-client"), "Invalid claim: 'aud'"),
        (_set(aud=[CLIENT, "another-client"]), "Missing claim: 'azp'"),
        (_set(azp="another-client"), "Invalid claim: 'azp'"),
        (_set(nonce="of another sign-in"), "Invalid claim: 'nonce'"),
        (_without("nonce"), "Missing claim: 'nonce'"),
        (_set(exp=int(time.time()) - 120), "The token is expired"),
        (_without("exp"), "Missing claim: 'exp'"),
        (_set(exp="tomorrow"), "Claim 'exp' must be a NumericDate value"),
        (_set(iat=int(time.time()) + 3600), "The token was issued in the future"),
        (_set(at_hash="AAAAAAAAAAAAAAAAAAAAAA"), "Invalid claim: 'at_hash'"),
        (_without("sub"), "Missing claim: 'sub'"),
        (_set(sub=7), "Claim 'sub' must be a StringOrURI value"),
        (_set(sub="x" * 256), "Invalid claim: 'sub'"),
    ],
)
async def test_an_id_token_that_says_something_else_is_refused(
    page: Page, scripted: Scripted, change: Callable[[Claims], object], why: str
) -> None:
    scripted.change = change
    told = await refusal(page, scripted)
    assert told.startswith(NOT_VALID)
    assert why in told


@pytest.mark.parametrize("claims", [{"azp": CLIENT, "aud": [CLIENT, "other"]}, {"aud": [CLIENT]}])
async def test_a_good_one_for_several_is_taken(
    page: Page, scripted: Scripted, claims: Claims
) -> None:
    scripted.change = _set(**claims)
    assert await sign_in(page, scripted)


@pytest.mark.parametrize("seconds", [-50, 50])
async def test_clocks_may_differ_by_a_minute(page: Page, scripted: Scripted, seconds: int) -> None:
    now = int(time.time()) + seconds
    scripted.change = _set(iat=now, exp=now + 10)
    assert await sign_in(page, scripted)


def _by_public_key(scripted: Scripted) -> Callable[[Claims], str]:
    """The public key, taken for a secret that both sides have."""
    secret = scripted.key.as_pem(private=False)  # joserfc makes no such key

    def sign(claims: Claims) -> str:
        signed = unsigned(claims, "HS256").removesuffix(".")
        return f"{signed}.{in_base64(hmac.digest(secret, signed.encode(), 'sha256'))}"

    return sign


def _by_secret(_: Scripted) -> Callable[[Claims], str]:
    secret = OctKey.import_key(SECRET)
    return lambda claims: jwt.encode({"alg": "HS256"}, claims, secret, algorithms=["HS256"])


def _by_somebody_else(scripted: Scripted) -> Callable[[Claims], str]:
    key = make_key(str(scripted.key.kid))
    return lambda claims: jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize(
    "make",
    [
        lambda _: unsigned,
        _by_public_key,
        _by_secret,
        _by_somebody_else,
        lambda _: lambda _claims: "no.token.at-all",
        lambda _: lambda _claims: "x" * 20_000,
    ],
    ids=["none", "HS256 by the public key", "HS256", "another key", "no token", "too long"],
)
async def test_what_the_provider_has_not_signed_is_refused(
    page: Page, scripted: Scripted, make: Callable[[Scripted], Callable[[Claims], str]]
) -> None:
    scripted.sign = make(scripted)
    assert (await refusal(page, scripted)).startswith(NOT_VALID)


async def test_keys_may_change_while_somebody_signs_in(page: Page, scripted: Scripted) -> None:
    asked = await page.go()
    scripted.nonce = asked["nonce"]
    scripted.key = make_key("rotated")
    answer = await page.come_back(state=asked["state"], code="a-code")
    assert told_behind(answer).keys() == {"code", "state"}
    assert "keys" in scripted.asked
    scripted.key = scripted.first_key  # which it had withdrawn: the keys are asked for again
    assert await sign_in(page, scripted)


async def test_a_code_that_is_not_taken_is_told(page: Page, scripted: Scripted) -> None:
    scripted.refusal = {"error": "invalid_grant", "error_description": "it was used before"}
    assert await refusal(page, scripted) == (
        "It does not take the code that it has given: invalid_grant: it was used before"
    )


async def test_a_provider_that_hangs_keeps_nobody_for_long(page: Page, scripted: Scripted) -> None:
    scripted.hangs = True
    assert await refusal(page, scripted) == "It gives no answer within 1 seconds"


async def test_what_it_says_of_another_person_is_refused(
    page: Page, scripted: Scripted, person: Claims
) -> None:
    scripted.userinfo = {**person, "sub": "another"}
    assert "another person" in await refusal(page, scripted)


async def test_an_answer_of_another_issuer_is_refused(page: Page, scripted: Scripted) -> None:
    told = await refusal(page, scripted, iss="https://evil.example")
    assert told == "Somebody else has answered in its place"


async def test_a_state_is_good_once(page: Page, scripted: Scripted) -> None:
    asked = await page.go()
    scripted.nonce = asked["nonce"]
    kept = httpx2.Cookies(page.browser.cookies)
    first = await page.come_back(state=asked["state"], code="a-code")
    assert "code" in told_behind(first)
    again = await page.come_back(state=asked["state"], code="a-code")
    assert (again.status_code, OVER in again.text) == (400, True)
    page.browser.cookies = kept  # of a browser that does not forget it
    replayed = await page.come_back(state=asked["state"], code="a-code")
    assert told_behind(replayed)["error_description"].endswith("This sign-in is finished already")
    assert scripted.asked.count("token") == 1


async def test_who_comes_back_must_have_begun_in_the_same_browser(
    page: Page, scripted: Scripted, installation: Installation
) -> None:
    asked = await page.go()
    async with connect_to(installation.gateway) as other:
        victim = Page(other, "scripted")
        sent = await victim.come_back(state=asked["state"], code="of-the-attacker")
        assert (sent.status_code, OVER in sent.text) == (400, True)
        await victim.go()
        mixed = await victim.come_back(state=asked["state"], code="of-the-attacker")
        assert mixed.status_code == 400
    assert "token" not in scripted.asked


async def test_a_cookie_of_another_sign_in_is_none(page: Page, scripted: Scripted) -> None:
    first, second = await page.go(), await page.go()
    names = sorted(page.browser.cookies)
    values = {name: page.browser.cookies[name] for name in names}
    page.browser.cookies.clear()
    for name, other in zip(names, reversed(names), strict=True):
        page.browser.cookies.set(name, values[other])
    for asked in (first, second):
        answer = await page.come_back(state=asked["state"], code="a-code")
        assert answer.status_code == 400


async def test_an_answer_for_another_provider_is_refused(page: Page, scripted: Scripted) -> None:
    asked = await page.go()
    page.provider = "npm"
    answer = await page.come_back(state=asked["state"], code="a-code")
    assert (answer.status_code, OVER in answer.text) == (400, True)


async def test_codes_that_were_swapped_are_refused(
    page: Page, scripted: Scripted, installation: Installation
) -> None:
    """The code of somebody else's sign-in has an ID token with his nonce."""
    asked = await page.go()
    async with connect_to(installation.gateway) as other:
        await come_with_code(Page(other, "scripted"), scripted)
    answer = await page.come_back(state=asked["state"], code="of-the-other")
    assert "'nonce'" in told_behind(answer)["error_description"]
