"""What browsers are told with every answer: to show it nowhere else and to run nothing of it."""

import re
from base64 import b64encode
from hashlib import sha256

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Answers are data: JSON, or files that users uploaded.
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": DATA_POLICY,
}
HTTPS_SECONDS = 365 * 24 * 3600

_inline_script = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class SecurityHeaders:
    """Adds the headers that an answer does not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; its bodies pass as they are."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(MutableHeaders(scope=message), https=scope["scheme"] == "https")
            await send(message)

        await self.app(scope, receive, send_on)


def _add(headers: MutableHeaders, *, https: bool) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if "etag" not in headers:
        headers.setdefault("Cache-Control", "no-store")
    if https:
        headers.setdefault("Strict-Transport-Security", f"max-age={HTTPS_SECONDS}")


def page_policy(html: str) -> str:
    """The policy for a page of ours: what is served here, and the scripts that stand in it.

    Swagger UI styles its elements in place and has small images in its style sheet.
    """
    scripts = [sha256(script.encode()).digest() for script in _inline_script.findall(html)]
    hashes = [f"'sha256-{b64encode(script).decode()}'" for script in scripts]
    return "; ".join(
        [
            "default-src 'none'",
            " ".join(["script-src 'self'", *hashes]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
