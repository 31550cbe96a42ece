"""Visits to URLs that users give: never into the network that the gateway itself stands in."""

import math
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_address

import anyio
import httpx2

from gateway.remote.addresses import is_public, resolve
from gateway.remote.bodies import bound
from gateway.remote.causes import explain
from gateway.remote.credentials import NO_HEADERS, Credentials
from gateway.remote.errors import UnreachableError
from gateway.remote.urls import read_url
from shared.process.later import Once

CONNECT_SECONDS = 5.0
CONNECT_SHARE = 0.4  # of the time left; as much for TLS, which leaves its socket open if cancelled
VISIT_BYTES = 1024 * 1024

type Resolve = Callable[[str, int], Awaitable[list[str]]]


class Outbound:
    """The way out of this process. One for all visits: its TLS context takes long to make.

    A visit takes at most so many seconds.
    """

    def __init__(self, seconds: float, *, allow_private: bool, resolve: Resolve = resolve) -> None:
        self._seconds = seconds
        self._allow_private = allow_private
        self._resolve = resolve
        self._tls = Once(ssl.create_default_context)

    @asynccontextmanager
    async def visit(
        self,
        most_bytes: int = VISIT_BYTES,
        seconds: float | None = None,
        credentials: Credentials | None = None,
        make: Callable[..., httpx2.AsyncClient] = httpx2.AsyncClient,
        most_seconds: float | None = None,
    ) -> AsyncIterator[httpx2.AsyncClient]:
        """A client for one visit, bounded in time, and in bytes over all its answers.

        One of a package's own kind is made by `make`. What is no look-up may take `most_seconds`,
        whatever look-ups may. Follows no redirects and keeps nothing for
        the next visit. Credentials are added on the way out: the client never has them. Raises
        UnreachableError for what went wrong on the way, whatever the client made of it.
        """
        most = self._seconds if most_seconds is None else most_seconds
        seconds = most if seconds is None else min(seconds, most)
        inner = httpx2.AsyncHTTPTransport(verify=await self._tls.get(), trust_env=False)
        guard = Guard(self, inner, most_bytes, credentials)
        client = make(transport=guard, timeout=seconds, trust_env=False)
        try:
            with anyio.fail_after(seconds):  # also cancels what waits while it cleans up
                async with client:
                    yield client
        except TimeoutError:
            late = UnreachableError(f"it gives no answer within {seconds:g} seconds")
            raise guard.failure or late from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise guard.failure or explain(error) from error
        except Exception:
            if guard.failure is None:
                raise
            raise guard.failure from None

    async def admit(self, url: httpx2.URL) -> None:
        """Raises UnreachableError for a URL that nobody here visits, if it may not be visited."""
        if not self._allow_private:  # then it may lead to what only others know
            await self.judge(url.raw_host.decode(), url.port or 0)

    async def judge(self, host: str, port: int) -> list[str]:
        """The addresses of a host, all of them good. Raises UnreachableError."""
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, socket.gaierror) else "no name of a host"
            raise UnreachableError(f"its host {host} can't be found ({reason})") from None
        if not addresses:
            raise UnreachableError(f"its host {host} has no address")
        if not self._allow_private and not all(is_public(ip_address(a)) for a in addresses):
            raise UnreachableError(f"its host {host} is not on the public internet")
        return addresses


class Guard(httpx2.AsyncBaseTransport):
    """Connects each request to an address that was judged, and counts what comes back.

    What goes wrong it keeps as its `failure`: clients replace errors by others, or by silence.
    """

    def __init__(
        self,
        outbound: Outbound,
        inner: httpx2.AsyncBaseTransport,
        most_bytes: int,
        credentials: Credentials | None = None,
    ) -> None:
        self._outbound = outbound
        self._inner = inner
        self._credentials = credentials
        self._most_bytes = self._bytes_left = most_bytes
        self.failure: UnreachableError | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to the first address of its host that can be reached."""
        with self.keep_failure():
            url = read_url(str(request.url))
            host = url.raw_host.decode()
            request.headers["Accept-Encoding"] = "identity"  # what is counted is what there is
            addresses = await self._outbound.judge(host, url.port or 0)
            answer = await self._send(request, url, host, addresses)
            return bound(answer, self._count, self.keep_failure)

    async def _send(
        self, request: httpx2.Request, url: httpx2.URL, host: str, addresses: list[str]
    ) -> httpx2.Response:
        *others, last = addresses
        headers = request.headers.copy()  # its Host stays
        headers.update(self._credentials.of(url) if self._credentials else NO_HEADERS)
        for address in others:
            there = _at(address, request, url, host, headers, CONNECT_SECONDS)
            try:
                return await self._inner.handle_async_request(there)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return await self._inner.handle_async_request(_at(last, request, url, host, headers))

    async def aclose(self) -> None:
        """Close what is open."""
        await self._inner.aclose()

    @contextmanager
    def keep_failure(self) -> Iterator[None]:
        """Raises UnreachableError for what goes wrong on the way."""
        try:
            yield
        except UnreachableError as error:
            self.failure = error
            raise
        except httpx2.HTTPError as error:
            self.failure = explain(error)
            raise self.failure from error

    def _count(self, size: int) -> None:
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise UnreachableError(f"it answers more than {self._most_bytes} bytes")


def _at(
    address: str,
    request: httpx2.Request,
    url: httpx2.URL,
    host: str,
    headers: httpx2.Headers,
    seconds: float = math.inf,
) -> httpx2.Request:
    """The same request to this address of its host, which may take so long to be connected to."""
    left = anyio.current_effective_deadline() - anyio.current_time()
    timeout = {**request.extensions["timeout"], "connect": min(seconds, CONNECT_SHARE * left)}
    return httpx2.Request(
        request.method,
        url.copy_with(host=address),
        headers=headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host, "timeout": timeout},
    )
