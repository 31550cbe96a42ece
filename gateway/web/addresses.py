"""Where clients find us: PUBLIC_URL, or the prefix that a trusted proxy has taken off the path.

Nothing that a client says of itself, its `Host` not either, becomes part of an address.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.settings.gateway import GatewaySettings

PREFIX = "x-forwarded-prefix"
PREFIX_LIMIT = 255  # characters

_prefix = re.compile(r"(?:/[\w.~-]+)+/?", re.ASCII)


class TrustedPrefix:
    """Drops a prefix that no trusted proxy says: it sees the address before it is the client's."""

    def __init__(self, app: ASGIApp, trusted_proxies: Sequence[str]) -> None:
        self.app = app
        self._networks = [ip_network(each) for each in trusted_proxies]
        self._trusts = lru_cache(maxsize=1024)(self._is_trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        if scope["type"] != "lifespan" and any(
            key == PREFIX.encode() for key, _ in scope["headers"]
        ):
            client = scope["client"]
            if client is None or not self._trusts(client[0]):
                headers = [each for each in scope["headers"] if each[0] != PREFIX.encode()]
                scope = {**scope, "headers": headers}
        await self.app(scope, receive, send)

    def _is_trusted(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:  # a socket has none
            return False
        return any(address in network for network in self._networks)


def prefix_of(headers: Headers) -> str:
    """What the proxy took off the path, without a slash at its end; empty where it took nothing."""
    said = headers.get(PREFIX, "")
    is_one = len(said) <= PREFIX_LIMIT and _prefix.fullmatch(said)
    return said.rstrip("/") if is_one and ".." not in said.split("/") else ""


def base_of(connection: HTTPConnection, settings: GatewaySettings) -> str:
    """What stands before each of our paths for clients; empty where they see them as we do."""
    return settings.public_url or prefix_of(connection.headers)
