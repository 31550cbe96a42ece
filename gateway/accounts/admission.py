"""How often somebody may log in, register, have mail sent or find an API key: counted before."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from attrs import define, field, frozen
from starlette.requests import HTTPConnection

from gateway.accounts.attempts import Attempts, Bound, TooManyAttemptsError
from gateway.accounts.names import fold
from gateway.web.addresses import host_of
from gateway.web.errors import TooManyRequestsError
from gateway.web.metrics import LOGINS
from gateway.web.refusals import (
    TOO_MANY_KEYS,
    TOO_MANY_LOGINS,
    TOO_MANY_MAILS,
    TOO_MANY_REGISTRATIONS,
)
from shared.process.networks import network_of
from shared.settings.gateway import GatewaySettings

NAME_FACTOR = 10  # how often an address's bound for a name all addresses together reach theirs
MAILS_PER_DAY = 10  # to an address, and of a user
DAY_SECONDS = 24 * 3600

LOGINS_SENTENCE = "Too many failed logins, please try again in {seconds} seconds"
KEYS_SENTENCE = "Too many unknown API keys, please try again in {seconds} seconds"
USERS_SENTENCE = "Too many registrations from your address, please try again in {seconds} seconds"
MAILS_SENTENCE = "Too many mails were asked for, please try again in {seconds} seconds"


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


def expect_token(
    attempts: Attempts, settings: GatewaySettings, connection: HTTPConnection
) -> Login:
    """The bound of who presents a one-time token: that of his address's failed logins."""
    network, name = _network_of(connection), attempts.name
    bound = Bound(name("login", network), settings.login_failures_per_address)
    return Login(attempts, [bound], name("token", network))


async def count_registration(
    attempts: Attempts, settings: GatewaySettings, connection: HTTPConnection
) -> None:
    """Count somebody who registers, however it ends. Raises TooManyRequestsError."""
    name = attempts.name("registration", _network_of(connection))
    async with _told(USERS_SENTENCE, TOO_MANY_REGISTRATIONS):
        await attempts.take([Bound(name, settings.registrations_per_address)])


@frozen
class UnknownKeys:
    """API keys that there are not, of which an address may bring as many as it may fail logins."""

    attempts: Attempts
    settings: GatewaySettings

    async def check(self, host: str) -> None:
        """Raise TooManyRequestsError where one has brought too many."""
        async with _told(KEYS_SENTENCE, TOO_MANY_KEYS):
            await self.attempts.check([self._bound(host)])

    async def count(self, host: str) -> None:
        """Count one. Raises TooManyRequestsError."""
        async with _told(KEYS_SENTENCE, TOO_MANY_KEYS):
            await self.attempts.take([self._bound(host)])

    def _bound(self, host: str) -> Bound:
        name = self.attempts.name("key", network_of(host))
        return Bound(name, self.settings.login_failures_per_address)


async def count_mail(
    attempts: Attempts,
    settings: GatewaySettings,
    connection: HTTPConnection,
    to: str,
    user_id: UUID | None = None,
) -> None:
    """Count a mail, sent or not, from where, to where and whose. Raises TooManyRequestsError."""
    name = attempts.name
    bounds = [
        Bound(name("mail from", _network_of(connection)), settings.mails_per_address),
        Bound(name("mail to", to.lower()), MAILS_PER_DAY, seconds=DAY_SECONDS),
    ]
    if user_id is not None:
        own = name("mail of", str(user_id))
        bounds.append(Bound(own, MAILS_PER_DAY, seconds=DAY_SECONDS))
    async with _told(MAILS_SENTENCE, TOO_MANY_MAILS):
        await attempts.take(bounds)


def _network_of(connection: HTTPConnection) -> str:
    return network_of(host_of(connection))


@asynccontextmanager
async def _told(sentence: str, logged: str) -> AsyncIterator[None]:
    try:
        yield
    except TooManyAttemptsError as error:
        if logged is TOO_MANY_LOGINS:
            LOGINS.labels("too_many").inc()
        detail = sentence.format(seconds=error.seconds)
        raise TooManyRequestsError(detail, error.seconds, logged) from None
