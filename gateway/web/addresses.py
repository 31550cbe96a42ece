"""Where clients find us: PUBLIC_URL, or the prefix that a trusted proxy has taken off the path.

Nothing that a client says of itself, its `Host` not either, becomes part of an address.
"""

import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.process.networks import Networks
from shared.settings.gateway import GatewaySettings

PREFIX = "x-forwarded-prefix"
_PREFIX = PREFIX.encode()
PREFIX_LIMIT = 255  # characters
BY_PROXY = "gateway.by_proxy"  # in a scope: a trusted proxy has brought it

_prefix = re.compile(r"(?:/[\w.~-]+)+/?", re.ASCII)


class TrustedProxies:
    """Notes what comes by a trusted proxy, and drops a prefix that nobody else may say.

    It sees the address before it is the client's.
    """

    def __init__(self, app: ASGIApp, trusted_proxies: Sequence[str]) -> None:
        self.app = app
        self._proxies = Networks(trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        if scope["type"] != "lifespan":
            client = scope["client"]
            if client is not None and client[0] in self._proxies:
                scope[BY_PROXY] = True
            elif any(key == _PREFIX for key, _ in scope["headers"]):
                headers = [each for each in scope["headers"] if each[0] != _PREFIX]
                scope = {**scope, "headers": headers}
        await self.app(scope, receive, send)


def host_of(connection: HTTPConnection) -> str:
    """The client's address; empty where it has none, as over a socket of the file system."""
    return connection.client.host if connection.client else ""


def prefix_of(headers: Headers) -> str:
    """What the proxy took off the path, without a slash at its end; empty where it took nothing."""
    said = headers.get(PREFIX, "")
    is_one = len(said) <= PREFIX_LIMIT and _prefix.fullmatch(said)
    return said.rstrip("/") if is_one and ".." not in said.split("/") else ""


def base_of(connection: HTTPConnection, settings: GatewaySettings) -> str:
    """What stands before each of our paths for clients; empty where they see them as we do."""
    return settings.public_url or prefix_of(connection.headers)


def whole_base_of(connection: HTTPConnection, settings: GatewaySettings) -> str:
    """The same with a host in any case: by default that at which the connection came in."""
    if settings.public_url:
        return settings.public_url
    host, port = connection.scope["server"]
    shown = f"[{host}]" if ":" in host else host
    return f"{connection.scope['scheme']}://{shown}:{port}{prefix_of(connection.headers)}"
