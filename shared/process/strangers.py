"""Who has not said yet who he is: how many such connections an address may have."""

import logging
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, Protocol

from shared.process.networks import Networks, network_of
from shared.telemetry.metrics import CONNECTIONS_REFUSED
from shared.telemetry.seldom import warn_seldom

logger = logging.getLogger(__name__)

TOO_MANY = "Too many connections come from your address without a token, please try again"


class Strangers:
    """Counts connections by address, IPv6 by /64, from their beginning until a token is shown.

    Those of proxies that are trusted are not counted; what comes through such a one is, by the
    address that it comes from and as long as it is worked on.
    """

    def __init__(self, most: int, trusted_proxies: Sequence[str]) -> None:
        self._most = most  # of an address; 0 = any number
        self._proxies = Networks(trusted_proxies)
        self._networks: dict[Hashable, str] = {}
        self._counts = Counter[str]()

    def __contains__(self, key: Hashable) -> bool:
        """Whether it is counted."""
        return key in self._networks

    def admit(self, key: Hashable, host: str) -> bool:
        """Count a connection or a request, whatever it is known by; False: there are enough."""
        if not self._most or key in self._networks or host in self._proxies:
            return True
        network = network_of(host)
        if self._counts[network] >= self._most:
            CONNECTIONS_REFUSED.inc()
            warn_seldom(
                logger,
                "a connection was refused: too many without a token come from its address",
                address=host,
            )
            return False
        self._networks[key] = network
        self._counts[network] += 1
        return True

    def forget(self, key: Hashable) -> None:
        """Count it no more, if it was: it has shown a token, or has ended."""
        network = self._networks.pop(key, None)
        if network is None:
            return
        self._counts[network] -= 1
        if not self._counts[network]:
            del self._counts[network]


class Connection(Protocol):
    """A connection of the server's, of whatever protocol."""

    app_state: dict[str, Any]
    client: tuple[str, int] | None
    server: tuple[str, int | None] | None


def forget(connection: Connection) -> None:
    """Count it no more, where the application counts strangers: it has ended."""
    strangers: Strangers | None = connection.app_state.get("strangers")
    if strangers is not None:
        strangers.forget(key_of(connection))


def key_of(connection: Connection) -> Hashable:
    """What the scopes of all its requests have, and no other connection."""
    return connection.client, connection.server
