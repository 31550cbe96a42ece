"""The page on which somebody comes back from an authorization server."""

from collections.abc import Mapping
from html import escape

from starlette.responses import HTMLResponse

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{title}</title>
  <style>
    body {{ font-family: sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem; }}
    input, button {{ font: inherit; padding: 0.4rem 0.6rem; }}
    code {{ overflow-wrap: anywhere; }}
  </style>
</head>
<body>
  <h1>{title}</h1>
{content}
</body>
</html>
"""
FORM = """\
  <p>At <code>{host}</code> you have let this installation use <code>{server}</code> in your name.
  Whoever began that here is to say so: what is your user name here?</p>
  <form method="post" action="authorized">
    {hidden}
    <input name="username" autocomplete="username" required autofocus aria-label="User name">
    <button>Finish</button>
  </form>
  <p>If you were sent here by somebody else, close this page.</p>"""


def show_form(host: str, server: str, fields: Mapping[str, str]) -> HTMLResponse:
    """Ask who began it: the browser alone can't tell."""
    hidden = "\n    ".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    content = FORM.format(host=escape(host), server=escape(server), hidden=hidden)
    return _page("Finish logging in", content)


def show_end(title: str, text: str, status: int = 200) -> HTMLResponse:
    """Say what came of it."""
    return _page(title, f"  <p>{escape(text)}</p>", status)


def _page(title: str, content: str, status: int = 200) -> HTMLResponse:
    html = PAGE.format(title=escape(title), content=content)
    return HTMLResponse(html, status, headers={"Content-Security-Policy": POLICY})
