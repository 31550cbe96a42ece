"""What browsers are told with every answer: to show it nowhere else and to run nothing of it."""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Answers are data: JSON, or files that users uploaded.
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": DATA_POLICY.encode(),
    b"vary": b"Origin",  # it would have other headers for a page of another origin
}
NOT_KEPT = {b"cache-control": b"no-store"}
ONLY_HTTPS = {b"strict-transport-security": b"max-age=%d" % (365 * 24 * 3600)}

_inline_script = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_inline_handler = re.compile(r' onload="(.*?)"')


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
                own = frozenset(name for name, _ in message["headers"])
                missing = _missing(own, is_https=scope["scheme"] == "https")
                message["headers"] = [*message["headers"], *missing]
            await send(message)

        await self.app(scope, receive, send_on)


@cache  # there are few kinds of answers
def _missing(own: frozenset[bytes], *, is_https: bool) -> list[tuple[bytes, bytes]]:
    """The headers to add to those of these names."""
    ours = HEADERS | ({} if b"etag" in own else NOT_KEPT) | (ONLY_HTTPS if is_https else {})
    return [each for each in ours.items() if each[0] not in own]


def page_policy(html: str) -> str:
    """The policy for a page of ours: what is served here, and the scripts that stand in it.

    Swagger UI styles its elements in place and has small images in its style sheet.
    """
    handlers = _inline_handler.findall(html)
    scripts = map(str.encode, [*_inline_script.findall(html), *handlers])
    hashes = [f"'sha256-{b64encode(sha256(script).digest()).decode()}'" for script in scripts]
    if handlers:
        hashes.append("'unsafe-hashes'")
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
