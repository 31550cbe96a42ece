"""Calls from pages of other origins."""

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.web.addresses import BY_PROXY
from shared.settings.gateway import GatewaySettings


class Cors:
    """CORS for who has an origin: half of the calls come from programs, which name none."""

    def __init__(self, app: ASGIApp, /, **options: Any) -> None:
        self.app = app
        self._cors = CORSMiddleware(app, **options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, or answer a preflight."""
        is_asked = scope["type"] == "http" and any(
            name == b"origin" for name, _ in scope["headers"]
        )
        await (self._cors if is_asked else self.app)(scope, receive, send)


def is_welcome(connection: HTTPConnection, settings: GatewaySettings) -> bool:
    """Whether a WebSocket, for which browsers ask nobody, may be opened.

    It may from one of the origins, from here, and by a program.
    """
    origin, origins = connection.headers.get("origin"), settings.backend_cors_origins
    if origin is None or "*" in origins or origin in (*origins, settings.public_origin):
        return True
    try:
        return urlsplit(origin).netloc.lower() == connection.headers.get("host", "").lower() != ""
    except ValueError:
        return False


def is_rebound(connection: HTTPConnection, settings: GatewaySettings) -> bool:
    """Whether it came over loopback, past all proxies, under a name that is none of ours.

    So does a page whose own name has come to mean this machine, and browsers let it read answers.
    """
    scope = connection.scope
    if scope.get(BY_PROXY) or not ip_address(scope["server"][0]).is_loopback:
        return False
    name = _name_in(f"//{connection.headers.get('host', '')}")
    return name not in {"localhost", _name_in(settings.public_url or "")} and not _is_address(name)


def _name_in(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _is_address(name: str | None) -> bool:
    """No name: nobody can make it mean another machine."""
    try:
        return bool(ip_address(name or ""))
    except ValueError:
        return False
