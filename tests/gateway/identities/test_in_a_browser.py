"""People sign in at the certified provider, in Chromium: through Swagger UI, and through a page."""

from uuid import uuid4

from playwright.async_api import Page, expect
from starlette.responses import HTMLResponse

from tests.gateway.identities.browsing import sign_in_there
from tests.gateway.identities.conftest import Installation
from tests.gateway.identities.test_recent import ask_for_mail
from tests.gateway.outsiders import serving
from tests.sql import Sql

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

TOKEN = "ui.authSelectors.authorized().toJS().user_npm?.token?.access_token"


async def test_swagger_ui_offers_the_provider_and_signs_in_by_it(
    tab: Page, installation: Installation, sql: Sql
) -> None:
    name, refused = f"swagger-{uuid4().hex}", list[str]()
    tab.on("console", lambda told: refused.append(told.text) if told.type == "error" else None)
    await tab.goto(f"{installation.gateway}/docs")
    await tab.locator(".auth-wrapper .authorize").click()
    offered = tab.locator(".auth-container", has_text="user_npm")
    await expect(offered.locator("input[type=text]").first).to_have_value("docs")
    async with tab.expect_popup() as opened:
        await offered.locator("button.authorize").click()
    there = await opened.value
    async with there.expect_event("close"):
        await sign_in_there(there, name)
    token = await (await tab.wait_for_function(f"() => {TOKEN}")).json_value()
    [user] = sql("SELECT id FROM users WHERE username = %s", name)
    assert user["id"]
    assert token.count(".") == 2
    assert not [error for error in refused if "Content Security Policy" in error]


async def test_swagger_ui_says_why_a_password_is_refused(
    tab: Page, installation: Installation
) -> None:
    await tab.goto(f"{installation.gateway}/docs")
    await tab.locator(".auth-wrapper .authorize").click()
    await tab.locator("#oauth_username").fill(f"nobody-{uuid4().hex}")
    await tab.locator("#oauth_password").fill("wrong")
    form = tab.locator(".auth-container", has=tab.locator("#oauth_password"))
    await form.locator("button.authorize").click()
    told = tab.locator(".errors", has_text="Incorrect username").first
    await expect(told).to_contain_text("invalid_grant", timeout=60_000)


async def test_a_page_of_another_origin_signs_somebody_in(
    tab: Page, installation: Installation
) -> None:
    name = f"page-{uuid4().hex}"
    html = HTMLResponse(PAGE % installation.gateway)
    async with serving(html, installation.page_port) as outsider:
        await tab.goto(f"{outsider.url}/signed-in")
        await tab.locator("button").click()
        await sign_in_there(tab, name)
        await expect(tab.locator("p")).to_have_text(f"Signed in as {name} for long")
        assert tab.url == f"{outsider.url}/signed-in", "no code stays in the address"


async def test_who_has_no_password_shows_by_his_provider_that_an_address_is_his(
    tab: Page, installation: Installation, sql: Sql
) -> None:
    name, refused = f"mail-{uuid4().hex}", list[str]()
    html = HTMLResponse(PAGE % installation.gateway)
    async with serving(html, installation.page_port) as outsider:
        await tab.goto(f"{outsider.url}/signed-in")
        await tab.locator("button").click()
        await sign_in_there(tab, name)
        await expect(tab.locator("p")).to_contain_text(name)
    await tab.context.clear_cookies()  # the provider asks anew
    [user] = sql("SELECT id FROM users WHERE username = %s", name)
    token, email = ask_for_mail(sql, user["id"])
    tab.on("console", lambda told: refused.append(told.text) if told.type == "error" else None)
    await tab.goto(f"{installation.gateway}/email-verification#{token}")
    await tab.get_by_text("The provider of npm").click()
    await sign_in_there(tab, name)
    await expect(tab.locator("#said")).to_have_text("Done. You can close this page.")
    assert tab.url == f"{installation.gateway}/email-verification"
    assert not [error for error in refused if "Content Security Policy" in error]
    assert sql("SELECT email FROM users WHERE id = %s", user["id"]) == [{"email": email}]
