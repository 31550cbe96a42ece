"""Visits to URLs that users give: never into the network that the gateway itself stands in."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import anyio
import httpx2

CONNECT_SECONDS = 5.0
VISIT_SECONDS = 10.0
VISIT_BYTES = 1024 * 1024
URL_CHARACTERS = 2048
HIGHEST_PORT = 65535

URL_SCHEMA = {
    "type": "string",
    "format": "uri",
    "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://",
    "maxLength": URL_CHARACTERS,
}
"""What JSON schema can say of a URL that is visited."""

type Address = IPv4Address | IPv6Address
type Resolve = Callable[[str, int], Awaitable[list[str]]]

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


class RefusedUrlError(Exception):
    """A URL that is not visited; the text says why."""


class UnreachableError(Exception):
    """A visit that led to nothing; the text says why."""


class PrivateHostError(UnreachableError):
    """A visit to a host that is not on the public internet, where that is not allowed."""


def read_url(text: str) -> httpx2.URL:
    """The URL in its normal form, without a fragment. Raises RefusedUrlError."""
    if len(text) > URL_CHARACTERS:
        raise RefusedUrlError(f"The URL has more than {URL_CHARACTERS:,} characters")
    try:
        url = httpx2.URL(text.strip()).copy_with(fragment=None)
    except httpx2.InvalidURL:
        raise RefusedUrlError("This is not a URL") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise RefusedUrlError("The URL must begin with http:// or https:// and name a host")
    if url.userinfo:
        raise RefusedUrlError("The URL must not hold credentials")
    if url.port is not None and not 0 < url.port <= HIGHEST_PORT:
        raise RefusedUrlError("The URL has an impossible port")
    return url.copy_with(path="/") if url.path == "/" else url


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


class Outbound:
    """The way out of this process. One for all visits: its TLS context takes long to make."""

    def __init__(self, *, allow_private: bool, resolve: Resolve = resolve) -> None:
        self._allow_private = allow_private
        self._resolve = resolve
        self._tls = ssl.create_default_context()

    @asynccontextmanager
    async def visit(self) -> AsyncIterator[httpx2.AsyncClient]:
        """A client for one visit, bounded in time, and in bytes over all its answers.

        Follows no redirects and keeps nothing for the next visit. Raises UnreachableError for
        what goes wrong on the way, a URL that is refused included; for a host that is not visited
        in any case, whatever the client makes of it.
        """
        guard = Guard(self, httpx2.AsyncHTTPTransport(verify=self._tls, trust_env=False))
        timeout = httpx2.Timeout(VISIT_SECONDS, connect=CONNECT_SECONDS)
        client = httpx2.AsyncClient(transport=guard, timeout=timeout, trust_env=False)
        try:
            with anyio.fail_after(VISIT_SECONDS):  # also cancels what waits while it cleans up
                async with client:
                    yield client
        except TimeoutError:
            raise UnreachableError(f"no answer within {VISIT_SECONDS:g} seconds") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, RefusedUrlError) as error:
            raise UnreachableError(str(error) or type(error).__name__) from error
        except Exception:
            if guard.refusal is not None:
                raise guard.refusal from None
            raise

    async def judge(self, host: str, port: int) -> list[str]:
        """The addresses of a host, all of them good. Raises UnreachableError."""
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError):
            raise UnreachableError(f"there is no host {host}") from None
        if not self._allow_private and not all(is_public(ip_address(a)) for a in addresses):
            raise PrivateHostError(f"{host} is not on the public internet")
        return addresses


class Guard(httpx2.AsyncBaseTransport):
    """Connects each request to an address that was judged, and counts what comes back."""

    def __init__(self, outbound: Outbound, inner: httpx2.AsyncBaseTransport) -> None:
        self._outbound = outbound
        self._inner = inner
        self._bytes_left = VISIT_BYTES
        self.refusal: UnreachableError | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to the first address of its host that can be reached."""
        url = read_url(str(request.url))
        host = url.raw_host.decode()
        request.headers["Accept-Encoding"] = "identity"  # what is counted is what there is
        extensions = {**request.extensions, "sni_hostname": host}
        failure: httpx2.TransportError | None = None
        for address in await self._judge(host, url.port or 0):
            there = httpx2.Request(
                request.method,
                url.copy_with(host=address),
                headers=request.headers,  # its Host stays
                stream=request.stream,
                extensions=extensions,
            )
            try:
                response = await self._inner.handle_async_request(there)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                failure = error
                continue
            return self._bounded(response)
        raise failure or UnreachableError(f"{host} has no address")

    async def aclose(self) -> None:
        """Close what is open."""
        await self._inner.aclose()

    async def _judge(self, host: str, port: int) -> list[str]:
        try:
            return await self._outbound.judge(host, port)
        except UnreachableError as error:
            self.refusal = error
            raise

    def _bounded(self, response: httpx2.Response) -> httpx2.Response:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise httpx2.DecodingError("the answer is compressed, which was not asked for")
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=CountedStream(response.stream, self._count),
            extensions=response.extensions,
        )

    def _count(self, size: int) -> None:
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise httpx2.ReadError(f"more than {VISIT_BYTES} bytes were answered")


class CountedStream(httpx2.AsyncByteStream):
    """A body whose parts are counted before anybody sees them."""

    def __init__(self, inner: httpx2.AsyncByteStream, count: Callable[[int], None]) -> None:
        self._inner = inner
        self._count = count

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The parts."""
        async for part in self._inner:
            self._count(len(part))
            yield part

    async def aclose(self) -> None:
        """Close the body's connection, or give it back."""
        await self._inner.aclose()
