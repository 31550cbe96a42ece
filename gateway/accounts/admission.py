"""How often somebody may try to log in or to register, before any password is hashed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import define, field
from starlette.requests import HTTPConnection

from gateway.accounts.attempts import Attempts, Bound, TooManyAttemptsError
from gateway.accounts.names import fold
from gateway.web.errors import TooManyRequestsError
from gateway.web.metrics import LOGINS
from gateway.web.refusals import TOO_MANY_LOGINS, TOO_MANY_REGISTRATIONS
from shared.process.networks import network_of
from shared.settings.gateway import GatewaySettings

NAME_FACTOR = 10  # how often an address's bound for a name all addresses together reach theirs

LOGINS_SENTENCE = "Too many failed logins, please try again in {seconds} seconds"
USERS_SENTENCE = "Too many registrations from your address, please try again in {seconds} seconds"


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
        async with _told(LOGINS_SENTENCE, TOO_MANY_LOGINS):
            await self.attempts.check(self.bounds)

    async def begin(self) -> None:
        """Count it. Raises TooManyRequestsError."""
        async with _told(LOGINS_SENTENCE, TOO_MANY_LOGINS):
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
    network, name, username = _network_of(connection), attempts.name, fold(username)
    per_address, per_name = settings.login_failures_per_address, settings.login_failures_per_name
    known = name("known", network, username)
    bounds = [
        Bound(name("login", network), per_address),
        Bound(name("login", network, username), per_name),
        Bound(name("name", username), per_name * NAME_FACTOR, known),
    ]
    return Login(attempts, bounds, known)


def expect_return(
    attempts: Attempts, settings: GatewaySettings, connection: HTTPConnection
) -> Login:
    """The bound of who comes back from a provider: those that fail are counted by address."""
    name = attempts.name("return", _network_of(connection))
    bounds = [Bound(name, settings.login_failures_per_address)]
    return Login(attempts, bounds, attempts.name("returned", _network_of(connection)))


async def count_registration(
    attempts: Attempts, settings: GatewaySettings, connection: HTTPConnection
) -> None:
    """Count somebody who registers, however it ends. Raises TooManyRequestsError."""
    name = attempts.name("registration", _network_of(connection))
    async with _told(USERS_SENTENCE, TOO_MANY_REGISTRATIONS):
        await attempts.take([Bound(name, settings.registrations_per_address)])


def _network_of(connection: HTTPConnection) -> str:
    return network_of(connection.client.host if connection.client else "")


@asynccontextmanager
async def _told(sentence: str, logged: str) -> AsyncIterator[None]:
    try:
        yield
    except TooManyAttemptsError as error:
        if logged is TOO_MANY_LOGINS:
            LOGINS.labels("too_many").inc()
        detail = sentence.format(seconds=error.seconds)
        raise TooManyRequestsError(detail, error.seconds, logged) from None
