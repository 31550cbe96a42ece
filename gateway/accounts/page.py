"""The pages that links in mails lead to. What is good once stands behind the `#` of the link, which
browsers send nowhere: no server, proxy or log gets to know it but in the body of the call.
"""

from base64 import b64encode
from functools import partial
from hashlib import sha256
from html import escape

from attrs import asdict, frozen
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from shared.settings.gateway import GatewaySettings

RESET_PATH, EMAIL_PATH = "/password-reset", "/email-verification"

STYLE = """
    :root { color-scheme: light dark; --accent: light-dark(#4f46e5, #8f8bfa); }
    body {
      max-width: 25rem; margin: max(2.5rem, 16vh) auto; padding: 0 1rem;
      font: 0.875rem / 1.5 system-ui, sans-serif;
      background: light-dark(#f6f7f9, #0f1218); color: light-dark(#171b24, #e8ebf1);
    }
    h1 { font-size: 1.25rem; }
    form { display: grid; gap: 1rem; }
    form[hidden] { display: none; }
    p { margin: 0; }
    input, button {
      font: inherit; color: inherit; min-height: 2.25rem; padding: 0.375rem 0.75rem;
      border: 1px solid light-dark(#858d9d, #727b8c); border-radius: 0.5rem;
      background: light-dark(#ffffff, #161a22);
    }
    button { cursor: pointer; font-weight: 550; }
    [name=button] {
      border-color: var(--accent); background: var(--accent); color: light-dark(#ffffff, #14122e);
    }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
    #said { margin-top: 1rem; }
"""
SCRIPT = """
    const form = document.getElementById("form");
    const said = document.getElementById("said");
    const told = new URLSearchParams(location.hash.slice(1));
    const kept = JSON.parse(sessionStorage.getItem("kept") ?? "{}");  // who was at a provider
    const isBack = told.has("code") || told.has("error");
    const token = isBack ? kept.token : location.hash.slice(1);
    history.replaceState(null, "", location.pathname);  // no history and no bookmark keeps it
    sessionStorage.removeItem("kept");
    if (token) form.hidden = false;
    else said.textContent = "Open this page by the link that you were given.";

    function sentence(detail) {
      const text = typeof detail === "string" ? detail : detail?.[0]?.msg ?? "It failed.";
      return text.replace(/^Value error, /, "");
    }

    async function post(path, shown) {
      const answer = await fetch(path, {
        method: "POST",
        credentials: "omit",
        headers: {"Content-Type": "application/json"},
        body: JSON.stringify({token, ...shown}),
      });
      if (!answer.ok) return sentence((await answer.json()).detail);
      form.hidden = true;
      return form.dataset.done;
    }

    async function send(path, shown) {
      form.elements.button.disabled = true;
      said.textContent = await post(path, shown)
        .catch(() => "It can't be reached, please try again.");
      form.elements.button.disabled = false;
    }

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      await send(form.dataset.path, {[form.dataset.field]: form.elements.password.value});
    });

    function inBase64(bytes) {
      const text = btoa(String.fromCharCode(...bytes));
      return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    }

    async function go(url) {
      const verifier = inBase64(crypto.getRandomValues(new Uint8Array(32)));
      const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
      sessionStorage.setItem("kept", JSON.stringify({token, verifier}));
      const asked = {
        redirect_uri: location.origin + location.pathname,
        code_challenge: inBase64(new Uint8Array(hash)),
      };
      location.assign(`${url}?${new URLSearchParams(asked)}`);
    }

    async function offer() {
      const {providers} = await (await fetch(form.dataset.providers)).json();
      for (const {title, url} of providers) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = title;
        button.addEventListener("click", () => go(url));
        form.append(button);
      }
    }

    if (form.dataset.providers) offer();
    if (isBack && token && told.has("code")) {
      send(`${form.dataset.path}/oidc`, {code: told.get("code"), code_verifier: kept.verifier});
    } else if (isBack && token) {  // whoever makes links can't have it say something
      said.textContent = told.get("error_description") ?? "You were not let in there.";
    }
"""
PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{title}</title>
  <style>{style}</style>
</head>
<body>
  <h1>{title}</h1>
  <form id="form" hidden data-path="{path}" data-field="{field}" data-done="{done}"
    data-providers="{providers}">
    <p>{text}</p>
    <input name="password" type="password" autocomplete="{kind}" required autofocus
      aria-label="{label}">
    <button name="button">{button}</button>
  </form>
  <p id="said" role="status"></p>
  <noscript>This page needs JavaScript.</noscript>
  <script>{script}</script>
</body>
</html>
"""


@frozen
class Form:
    """What a page asks for, and where that goes: from the page, as behind a proxy's prefix."""

    title: str
    text: str
    label: str
    kind: str
    button: str
    path: str
    field: str
    done: str
    providers: str = ""
    """Where it learns of those by which one can show who one is in place of a password."""

    @property
    def html(self) -> str:
        """The page."""
        texts = {name: escape(text) for name, text in asdict(self).items()}
        return PAGE.format(**texts, style=STYLE, script=SCRIPT)


FORMS = {
    RESET_PATH: Form(
        title="A new password",
        text="At least 8 characters, with an upper and a lower case letter, a digit and a special"
        " character. You will be signed out everywhere.",
        label="New password",
        kind="new-password",
        button="Set it",
        path="api/password-reset",
        field="new_password",
        done="Done. Sign in with the new password now.",
    ),
    EMAIL_PATH: Form(
        title="Your mail address",
        text="To have mail about your account sent to this address, type the password of the"
        " account, or sign in by its provider. If you did not ask for that, close this page.",
        label="Password",
        kind="current-password",
        button="Confirm",
        path="api/email-verification",
        field="password",
        done="Done. You can close this page.",
        providers="api/login/providers",
    ),
}


def link(settings: GatewaySettings, path: str, token: str) -> str | None:
    """Where a page is, with what it is to send; None where PUBLIC_URL is not set."""
    return None if settings.public_url is None else f"{settings.public_url}{path}#{token}"


def _hashed(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


POLICY = "; ".join(
    [
        "default-src 'none'",
        f"script-src {_hashed(SCRIPT)}",
        f"style-src {_hashed(STYLE)}",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)


async def _show(form: Form, _request: Request) -> Response:
    return HTMLResponse(form.html, headers={"Content-Security-Policy": POLICY})


def account_pages() -> list[Route]:
    """A route for each page."""
    return [Route(path, partial(_show, form)) for path, form in FORMS.items()]
