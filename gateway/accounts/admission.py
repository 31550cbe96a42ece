"""How often somebody may try to log in or to register, before any password is hashed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv6Address, IPv6Network, ip_address

from attrs import define, field
from starlette.requests import HTTPConnection

from gateway.accounts.attempts import Attempts, Bound, TooManyAttemptsError
from gateway.accounts.names import fold
from gateway.web.errors import TooManyRequestsError
from gateway.web.metrics import LOGINS
from shared.settings.gateway import GatewaySettings

NETWORK_BITS = 64  # of an IPv6 address: what one customer gets at least
NAME_FACTOR = 10  # how often an address's bound for a name all addresses together reach theirs

TOO_MANY_LOGINS = "Too many failed logins, please try again in {seconds} seconds"
TOO_MANY_USERS = "Too many registrations from your address, please try again in {seconds} seconds"


def network_of(connection: HTTPConnection) -> str:
    """Who asks: an IPv4 address, or the network of an IPv6 address."""
    host = connection.client.host if connection.client else ""
    try:
        address = ip_address(host)
    except ValueError:  # a socket of the file system, or a proxy's own words
        return host
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), NETWORK_BITS), strict=False))


@define
class Login:
    """Somebody's try to log in.

    Only failures are counted, and yet no more can be under way than may fail: each is counted when
    its turn comes and given back when it succeeds.
    """

    attempts: Attempts
    bounds: list[Bound]
    known: str
    counters: list[str] = field(factory=list, init=False)

    async def check(self) -> None:
        """Raise TooManyRequestsError before anything is looked up."""
        async with _told(TOO_MANY_LOGINS):
            await self.attempts.check(self.bounds)

    async def begin(self) -> None:
        """Count it. Raises TooManyRequestsError."""
        async with _told(TOO_MANY_LOGINS):
            self.counters = await self.attempts.take(self.bounds)

    async def succeed(self) -> None:
        """Give it back, and know from now on that the user logs in from there."""
        await self.attempts.forgive(self.counters, self.known)


def expect_login(
    attempts: Attempts, settings: GatewaySettings, connection: HTTPConnection, username: str
) -> Login:
    """The bounds of a login.

    A name that is tried from everywhere is closed to all but the networks that its owner has
    logged in from: nobody can lock somebody else out of them but from there.
    """
    network, name, username = network_of(connection), attempts.name, fold(username)
    per_address, per_name = settings.login_failures_per_address, settings.login_failures_per_name
    known = name("known", network, username)
    bounds = [
        Bound(name("login", network), per_address),
        Bound(name("login", network, username), per_name),
        Bound(name("name", username), per_name * NAME_FACTOR, known),
    ]
    return Login(attempts, bounds, known)


async def count_registration(
    attempts: Attempts, settings: GatewaySettings, connection: HTTPConnection
) -> None:
    """Count somebody who registers, however it ends. Raises TooManyRequestsError."""
    name = attempts.name("registration", network_of(connection))
    async with _told(TOO_MANY_USERS):
        await attempts.take([Bound(name, settings.registrations_per_address)])


@asynccontextmanager
async def _told(sentence: str) -> AsyncIterator[None]:
    try:
        yield
    except TooManyAttemptsError as error:
        if sentence is TOO_MANY_LOGINS:
            LOGINS.labels("too_many").inc()
        detail = sentence.format(seconds=error.seconds)
        raise TooManyRequestsError(detail, error.seconds) from None
