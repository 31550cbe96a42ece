"""People sign in at the certified provider, in Chromium: through Swagger UI, and through a page."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

from starlette.responses import HTMLResponse

from tests.end_to_end.proxy import find_program
from tests.gateway.identities.conftest import Installation
from tests.gateway.identities.test_recent import ask_for_mail
from tests.gateway.outsiders import serving
from tests.sql import Sql
from tests.system import PROJECT
from tests.users import FRAME_SECONDS

NODE = Path(sys.executable).with_name("node")
BROWSER = PROJECT / "tests/node/browser.mjs"

# What docs/how-to/sign-in-with-openid-connect.md proposes, as one page.
PAGE = """\
<!DOCTYPE html><title>page</title><button>Sign in</button><p></p>
<script type="module">
const gateway = "%s";
const base64url = (bytes) => btoa(String.fromCharCode(...bytes))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
document.querySelector("button").onclick = async () => {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  sessionStorage.verifier = verifier;
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const { providers } = await (await fetch(gateway + "/api/login/providers")).json();
  location = providers.find((each) => each.name === "npm").url + "?" + new URLSearchParams({
    redirect_uri: location.href, code_challenge: base64url(new Uint8Array(hash)),
    scope: "offline_access",
  });
};
const code = new URLSearchParams(location.hash.slice(1)).get("code");
if (code) {
  history.replaceState(null, "", location.pathname);
  const tokens = await (await fetch(gateway + "/api/login/oidc/token", {
    method: "POST", body: new URLSearchParams({ code, code_verifier: sessionStorage.verifier }),
  })).json();
  const headers = { Authorization: "Bearer " + tokens.access_token };
  const mine = await (await fetch(gateway + "/api/me/identities", { headers })).json();
  document.querySelector("p").innerText = "Signed in as " + mine.identities[0].name
    + (tokens.refresh_token ? " for long" : "");
}
</script>
"""


async def browse(url: str, *steps: list[Any]) -> dict[str, Any]:
    """What a person sees who does that."""
    given = {"executable": str(find_program("chromium")), "url": url, "steps": steps}
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(NODE, BROWSER, stdin=pipe, stdout=pipe)
    async with asyncio.timeout(3 * FRAME_SECONDS):
        told, _ = await child.communicate(json.dumps(given).encode())
    assert child.returncode == 0
    seen: dict[str, Any] = json.loads(told)
    assert seen["failure"] is None, seen
    return seen


def _sign_in_as(name: str) -> list[list[str]]:
    return [
        ["fill", "input[name=login]", name],
        ["fill", "input[name=password]", "any"],
        ["click", "button[type=submit]"],
    ]


async def test_swagger_ui_offers_the_provider_and_signs_in_by_it(
    installation: Installation, sql: Sql
) -> None:
    name = f"swagger-{uuid4().hex}"
    seen = await browse(
        f"{installation.gateway}/docs",
        ["click", ".auth-wrapper .authorize"],
        ["until", f"{FORMS}.some((each) => each.innerText.includes('user_npm'))"],
        ["read", OFFERED],
        ["popup", "[data-npm] button.authorize", *_sign_in_as(name)],
        ["until", f"{TOKEN} !== undefined"],
        ["read", TOKEN],
    )
    assert seen["read"][0] == "docs"
    [user] = sql("SELECT id FROM users WHERE username = %s", name)
    assert user["id"]
    assert seen["read"][1].count(".") == 2
    assert not [error for error in seen["errors"] if "Content Security Policy" in error]


FORMS = "[...document.querySelectorAll('.auth-container')]"
# The form of one provider among those of the dialog, which have no names: it is marked.
OFFERED = """(() => {
    const found = [...document.querySelectorAll('.auth-container')]
        .find((each) => each.innerText.includes("user_npm"));
    found.dataset.npm = "yes";
    return found.querySelector("input[type=text]").value;
})()"""
TOKEN = "ui.authSelectors.authorized().toJS().user_npm?.token?.access_token"


async def test_swagger_ui_says_why_a_password_is_refused(installation: Installation) -> None:
    seen = await browse(
        f"{installation.gateway}/docs",
        ["click", ".auth-wrapper .authorize"],
        ["fill", "#oauth_username", f"nobody-{uuid4().hex}"],
        ["fill", "#oauth_password", "wrong"],
        ["click", ".auth-container:has(#oauth_password) button.authorize"],
        ["until", "document.querySelector('.errors')?.innerText.includes('Incorrect username')"],
        ["read", "document.querySelector('.errors').innerText"],
    )
    assert "invalid_grant" in seen["read"][0]


async def test_a_page_of_another_origin_signs_somebody_in(installation: Installation) -> None:
    name = f"page-{uuid4().hex}"
    async with serving(HTMLResponse(PAGE % installation.gateway), installation.page_port) as page:
        seen = await browse(
            f"{page.url}/signed-in",
            ["click", "button"],
            *_sign_in_as(name),
            ["see", f"Signed in as {name} for long"],
            ["read", "location.href"],
        )
    assert seen["read"] == [f"{page.url}/signed-in"], "no code stays in the address"


async def test_who_has_no_password_shows_by_his_provider_that_an_address_is_his(
    installation: Installation, sql: Sql
) -> None:
    name = f"mail-{uuid4().hex}"
    async with serving(HTMLResponse(PAGE % installation.gateway), installation.page_port) as page:
        await browse(
            f"{page.url}/signed-in", ["click", "button"], *_sign_in_as(name), ["see", name]
        )
    [user] = sql("SELECT id FROM users WHERE username = %s", name)
    token, email = ask_for_mail(sql, user["id"])
    seen = await browse(
        f"{installation.gateway}/email-verification#{token}",
        ["click", "::-p-text(The provider of npm)"],
        *_sign_in_as(name),
        ["until", "globalThis.said?.textContent"],
        ["read", "said.textContent"],
        ["read", "location.href"],
    )
    done = "Done. You can close this page."
    assert seen["read"] == [done, f"{installation.gateway}/email-verification"]
    assert not [error for error in seen["errors"] if "Content Security Policy" in error]
    assert sql("SELECT email FROM users WHERE id = %s", user["id"]) == [{"email": email}]
