"""What a browser does between an application and an authorization server."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2

from tests.gateway.outsiders import Outsider
from tests.gateway.shapes import good
from tests.users import User

SERVERS = "/api/mcp/servers"
CALLBACK = "/api/mcp/authorized"

_hidden = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


async def add(user: User, outsider: Outsider, **given: object) -> dict[str, Any]:
    """Add the server, to log in there."""
    body = {"server_url": f"{outsider.url}/mcp", "authorize": True, **given}
    added: dict[str, Any] = good(await user.http.post(SERVERS, json=body))
    return added


async def begin(user: User, server_id: str) -> str:
    """Where to log in."""
    begun = good(await user.http.get(f"{SERVERS}/{server_id}/authorize"))
    assert begun.keys() == {"authorization_url", "expires_at"}
    return str(begun["authorization_url"])


async def visit(url: str) -> dict[str, str]:
    """Log in there; gives what one is sent back with."""
    async with httpx2.AsyncClient() as browser:
        answer = await browser.get(url)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    assert back.path.endswith(CALLBACK)
    return dict(parse_qsl(back.query))


async def come_back(browser: httpx2.AsyncClient, sent: dict[str, str]) -> dict[str, str]:
    """Come back with that; gives what the page's form holds."""
    page = await browser.get(CALLBACK, params=sent)
    assert page.status_code == 200, page.text
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    return {name: unescape(value) for name, value in _hidden.findall(page.text)}


async def confirm(
    browser: httpx2.AsyncClient, form: dict[str, str], username: str
) -> httpx2.Response:
    """Say who one is."""
    return await browser.post(CALLBACK, data={**form, "username": username})


async def log_in(user: User, browser: httpx2.AsyncClient, server_id: str) -> str:
    """The whole way; gives the last page."""
    form = await come_back(browser, await visit(await begin(user, server_id)))
    page = await confirm(browser, form, user.name)
    assert page.status_code == 200, page.text
    return page.text
