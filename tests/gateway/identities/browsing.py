"""What a page and its browser do to sign somebody in."""

import secrets
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
from attrs import define, field
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from playwright import async_api

from tests.gateway.identities.scripted import told_behind

PAGE = "https://chat.example.com/signed-in"
TOKEN = "/api/login/oidc/token"


@define
class Page:
    """A page that knows how to sign somebody in, in a browser that keeps cookies."""

    browser: httpx2.AsyncClient
    provider: str
    address: str = PAGE
    verifier: str = field(factory=lambda: secrets.token_urlsafe(32))
    state: str = "what the page knows"

    async def begin(self, **others: str) -> httpx2.Response:
        """Go to the provider."""
        asked = {
            "redirect_uri": self.address,
            "code_challenge": create_s256_code_challenge(self.verifier),
            "state": self.state,
            **others,
        }
        return await self.browser.get(f"/api/login/oidc/{self.provider}", params=asked)

    async def go(self, **others: str) -> dict[str, str]:
        """The same; gives what the provider is asked."""
        sent = await self.begin(**others)
        assert sent.status_code == 303, sent.text
        return dict(parse_qsl(urlsplit(sent.headers["location"]).query))

    async def come_back(self, **told: str) -> httpx2.Response:
        """Come back from the provider with that."""
        return await self.browser.get(f"/api/login/oidc/{self.provider}/callback", params=told)

    async def redeem(self, code: str, **others: str) -> httpx2.Response:
        """Have tokens for the code that the page has got."""
        form = {"code": code, "code_verifier": self.verifier, **others}
        return await self.browser.post(TOKEN, data=form)

    async def code_of(self, answer: httpx2.Response) -> str:
        """The code with which the browser comes to the page."""
        told = told_behind(answer)
        assert told.keys() == {"code", "state"}, told
        assert told["state"] == self.state
        assert answer.headers["location"].startswith(f"{self.address}#")
        return told["code"]


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    """The header by which a client shows an access token."""
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def sign_in_there(page: async_api.Page, name: str) -> None:
    """Fill in the form of npm's provider, in a real browser."""
    await page.locator("input[name=login]").fill(name)
    await page.locator("input[name=password]").fill("any")
    await page.locator("button[type=submit]").click()
