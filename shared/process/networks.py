"""Addresses of clients, and the networks that they are in."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network

NETWORK_BITS = 64  # of an IPv6 address: what one customer gets at least


def network_of(host: str) -> str:
    """Who counts as one: an IPv4 address, or the network of an IPv6 address."""
    try:
        address = ip_address(host)
    except ValueError:  # a socket of the file system, or a proxy's own words
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), NETWORK_BITS), strict=False))


class Networks:
    """Those of proxies that are trusted, or of an API key: what is `in` them is an address."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = [ip_network(each) for each in networks]
        self._holds = lru_cache(maxsize=1024)(self._find)

    def __contains__(self, host: str) -> bool:
        """Whether the host is an address in one of them."""
        return bool(self._networks) and self._holds(host)

    def _find(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:  # a socket has none
            return False
        plain = getattr(address, "ipv4_mapped", None) or address
        return any(plain in network for network in self._networks)
