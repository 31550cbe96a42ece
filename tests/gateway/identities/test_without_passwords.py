"""An installation in which nobody signs in by password."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from gateway.accounts.choosing import NO_PASSWORDS
from tests.gateway.identities.scripted import Scripted
from tests.gateway.shapes import good, refused
from tests.system import System
from tests.users import PASSWORD, connect_to


@pytest.fixture(scope="module")
async def http(system: System, scripted_provider: Scripted) -> AsyncIterator[httpx2.AsyncClient]:
    system.start_gateway(
        PASSWORD_LOGIN="false",
        PUBLIC_URL="https://chat.example.com",
        OIDC_ACME_ISSUER=scripted_provider.url,
        OIDC_ACME_CLIENT_ID="x",
    )
    async with connect_to(system.gateways.pop()) as client:
        yield client


async def test_register_and_login_say_so(http: httpx2.AsyncClient) -> None:
    credentials = {"username": "somebody", "password": PASSWORD}
    registered = await http.post("/api/register", json=credentials)
    assert (registered.status_code, registered.json()) == (400, {"detail": NO_PASSWORDS})
    login = await http.post("/api/login/access-token", data=credentials)
    assert (login.status_code, login.json()) == (
        400,
        {
            "detail": NO_PASSWORDS,
            "error": "unauthorized_client",
            "error_description": NO_PASSWORDS,
        },
    )


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/password-reset", {"token": "x", "new_password": PASSWORD}),
        ("/api/password-reset/mail", {"email": "ada@example.com"}),
    ],
)
async def test_nobody_sets_one_anew(
    http: httpx2.AsyncClient, path: str, body: dict[str, str]
) -> None:
    assert refused(await http.post(path, json=body)) == NO_PASSWORDS


async def test_pages_learn_it(http: httpx2.AsyncClient) -> None:
    ways = good(await http.get("/api/login/providers"))
    assert ways["password"] is False
    assert [each["url"] for each in ways["providers"]] == [
        "https://chat.example.com/api/login/oidc/acme"
    ]


async def test_cookies_stay_with_the_host_where_it_speaks_https(http: httpx2.AsyncClient) -> None:
    asked = {"redirect_uri": "https://chat.example.com/console", "code_challenge": "x" * 43}
    sent = await http.get("/api/login/oidc/acme", params=asked)
    cookie = sent.headers["set-cookie"]
    assert cookie.startswith("__Host-genai-oidc-")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


async def test_refresh_tokens_are_still_taken(http: httpx2.AsyncClient) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "none"}
    refused = await http.post("/api/login/access-token", data=form)
    assert refused.json()["detail"] == "The refresh token is not valid"
