"""Which addresses hosts have, and which of these belong to the public internet."""

import asyncio
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

type Address = IPv4Address | IPv6Address

# By the registries of special-purpose addresses (RFC 6890 and what followed); Python's `is_global`
# changes between its versions and passes some of these.
REFUSED_IPV4 = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
]
GLOBAL_IPV6 = IPv6Network("2000::/3")  # all that is given out; the rest is refused
REFUSED_IPV6 = [
    IPv6Network("2001::/23"),  # Teredo, benchmarking and other protocols
    IPv6Network("2001:db8::/32"),
    IPv6Network("3fff::/20"),
]
MAPPED = IPv6Network("::ffff:0:0/96")
NAT64 = IPv6Network("64:ff9b::/96")
SIX_TO_FOUR = IPv6Network("2002::/16")


def is_public(address: Address) -> bool:
    """Whether an address belongs to a host of the public internet, by what it leads to."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in REFUSED_IPV4)
    if address in MAPPED or address in NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    if address in SIX_TO_FOUR:
        return is_public(IPv4Address((int(address) >> 80) & 0xFFFFFFFF))
    return address in GLOBAL_IPV6 and not any(address in network for network in REFUSED_IPV6)


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, which may be spelled in any way that the system takes."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
