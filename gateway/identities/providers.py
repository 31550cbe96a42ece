"""The providers of the settings, and what each says of itself: endpoints and keys.

Both are asked for at the start and every few minutes, off the way of any call; on it only where a
token names a key that is not known yet, and then at most once in a few seconds.
"""

import asyncio
import logging
from collections.abc import Mapping
from time import monotonic
from typing import Any

import httpx2
from attrs import field, frozen
from authlib.oidc.discovery import get_well_known_url
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import Outbound
from shared.codec.converter import structure
from shared.codec.faults import InvalidInputError
from shared.codec.text import read_json
from shared.settings.gateway import GatewaySettings
from shared.settings.providers import ProviderSettings, is_secret_url

logger = logging.getLogger(__name__)

ROUND_SECONDS = 600.0
AGAIN_SECONDS = 10.0  # between two questions to one provider
VISIT_SECONDS = 10.0
# Those that only the provider can sign by: with `none` and those of a shared secret anybody could.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
BY_DEFAULT = ("RS256",)  # OpenID Connect Discovery 1.0, 3: each provider has it

NO_KEYS = "it has no key that ID tokens could be checked by"
UNSAFE = "its metadata name an address that is not https"
OTHER_ISSUER = "its metadata are those of another issuer"


@frozen
class Metadata:
    """What a provider says of itself, as far as it is needed (OpenID Connect Discovery 1.0, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    id_token_signing_alg_values_supported: tuple[str, ...] = BY_DEFAULT
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False

    @property
    def is_safe(self) -> bool:
        """Whether nobody on the way reads what is sent there."""
        endpoints = (
            *(self.authorization_endpoint, self.token_endpoint, self.jwks_uri),
            *(self.userinfo_endpoint, self.end_session_endpoint),
        )
        return all(is_secret_url(each) for each in endpoints if each is not None)


@frozen
class Known:
    """What is known of a provider."""

    metadata: Metadata
    keys: KeySet = field(repr=False)

    @property
    def algorithms(self) -> list[str]:
        """By which its ID tokens may be signed."""
        said = self.metadata.id_token_signing_alg_values_supported
        return sorted(ALGORITHMS.intersection(said))


class Provider:
    """One provider."""

    def __init__(self, settings: ProviderSettings, outbound: Outbound) -> None:
        self.settings = settings
        self.outbound = outbound
        self._known: Known | None = None
        self._failure: str | None = None
        self._asked_at = -AGAIN_SECONDS
        self._asking = asyncio.Lock()

    @property
    def name(self) -> str:
        """What the settings call it."""
        return self.settings.name

    @property
    def title(self) -> str:
        """What people call it."""
        return self.settings.title or self.name

    @property
    def now_known(self) -> Known | None:
        """What is known of it, without asking."""
        return self._known

    async def known(self) -> Known:
        """What is known of it. Raises UnreachableError where it never could be asked."""
        if self._known is None:
            await self.ask()
        assert self._known is not None
        return self._known

    async def ask(self) -> None:
        """Ask it anew, unless it was asked just now. Raises UnreachableError.

        Who comes meanwhile waits for the same answer.
        """
        async with self._asking:
            if monotonic() - self._asked_at >= AGAIN_SECONDS:
                try:
                    self._known, self._failure = await self._ask(), None
                except UnreachableError as error:
                    self._failure = str(error)
                finally:
                    self._asked_at = monotonic()
            if self._failure is not None:
                raise UnreachableError(self._failure)

    async def _ask(self) -> Known:
        issuer = self.settings.issuer
        async with self.outbound.visit() as http:
            found = await _read(http, get_well_known_url(issuer, external=True))
            try:
                metadata = structure(found, Metadata)
            except InvalidInputError as error:
                where = ".".join(map(str, error.faults[0].loc))
                raise UnreachableError(f"its metadata have no good {where}") from None
            if metadata.issuer != issuer:
                raise UnreachableError(OTHER_ISSUER)
            if not metadata.is_safe:
                raise UnreachableError(UNSAFE)
            return Known(metadata, _read_keys(await _read(http, metadata.jwks_uri)))


class Providers:
    """All of them."""

    def __init__(self, settings: GatewaySettings) -> None:
        # What an operator has named may stand in the network of the gateway.
        outbound = Outbound(VISIT_SECONDS, allow_private=True)
        self._by_name = {each.name: Provider(each, outbound) for each in settings.oidc}
        self._by_issuer = {each.settings.issuer: each for each in self._by_name.values()}

    @property
    def all(self) -> list[Provider]:
        """In the order of their names."""
        return list(self._by_name.values())

    def named(self, name: str) -> Provider | None:
        """The one that the settings call so."""
        return self._by_name.get(name)

    def issuing(self, issuer: object) -> Provider | None:
        """The one that calls itself so."""
        return self._by_issuer.get(issuer) if isinstance(issuer, str) else None

    async def run(self) -> None:
        """Ask each from time to time, for ever."""
        while True:
            await asyncio.gather(*(_ask(each) for each in self.all))
            await asyncio.sleep(ROUND_SECONDS)


async def _ask(provider: Provider) -> None:
    try:
        await provider.ask()
    except UnreachableError as error:
        logger.warning("the provider %s can't be used: %s", provider.name, error)


async def _read(http: httpx2.AsyncClient, url: str) -> Mapping[str, Any]:
    answer = await http.get(url, headers={"Accept": "application/json"})
    if not answer.is_success:
        raise UnreachableError(f"it answers {answer.status_code} where its metadata should be")
    try:
        found = read_json(answer.content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UnreachableError("its metadata are no JSON object")
    return found


def _read_keys(found: Mapping[str, Any]) -> KeySet:
    """The keys that are understood, but those that are no public ones (RFC 7517, 5)."""
    listed = found.get("keys")
    keys = [_read_key(each) for each in (listed if isinstance(listed, list) else [])]
    public = [key for key in keys if key is not None]
    if not public:
        raise UnreachableError(NO_KEYS)
    return KeySet(public)


def _read_key(found: Any) -> Key | None:
    if not isinstance(found, dict) or found.get("kty") == "oct" or found.get("use") == "enc":
        return None
    try:
        return JWKRegistry.import_key(found)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
