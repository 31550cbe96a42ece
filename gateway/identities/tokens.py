"""What providers sign: ID tokens, logout tokens, and access tokens for us."""

import time
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from attrs import frozen
from authlib.oauth2.rfc9068.claims import JWTAccessTokenClaims
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import InvalidClaimError, InvalidKeyIdError, JoseError, MissingClaimError
from joserfc.jwt import JWTClaimsRegistry

from gateway.identities.providers import ALGORITHMS, Known, Provider
from gateway.remote.errors import UnreachableError
from gateway.web.scopes import Scope
from shared.codec.text import read_json
from shared.secrets import id_of
from shared.settings.providers import ProviderSettings

LEEWAY_SECONDS = 60  # that clocks differ
LOGOUT_SECONDS = 300  # a logout token that was made longer ago is no news
SUBJECT_CHARACTERS = 255  # OpenID Connect Core 1.0, 2
TOKEN_CHARACTERS = 16 * 1024
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_TYPES = frozenset({"logout+jwt", "application/logout+jwt"})
UNTYPED = frozenset({"jwt", ""})
ACCESS_TYPES = frozenset({"at+jwt", "application/at+jwt"})
OF_ACCESS = ("iss", "aud", "exp", "sub", "client_id", "iat", "jti")  # RFC 9068, 2.2

_BAD = (JoseError, ValueError, TypeError, KeyError, AttributeError)


class UntrustedError(UnreachableError):
    """A token of a provider that proves nothing; the text says why, as a clause."""


@frozen
class LoggedOut:
    """Who has signed out at the provider: all of a subject's sessions there, or one."""

    subject: str | None
    sid: str | None
    at: float
    """By the provider's clock, in seconds since 1970."""
    id: UUID
    """Of the logout token."""


@frozen
class Opened:
    """What an access token that is good claims."""

    issuer: str
    subject: str
    issued_at: float
    expires_at: float
    scopes: frozenset[Scope]


async def read_id_token(provider: Provider, given: Mapping[str, Any], nonce: str) -> dict[str, Any]:
    """What the ID token beside an access token claims. Raises UntrustedError, UnreachableError."""
    text = given.get("id_token")
    if not isinstance(text, str):
        raise UntrustedError("it gives no ID token")
    try:
        token = await _decode(provider, text, (await provider.known()).algorithms)
        options = _options(
            ("iss", "aud", "exp", "iat", "sub"), provider, provider.settings.client_id
        )
        beside = {
            "nonce": nonce,
            "client_id": provider.settings.client_id,
            "access_token": given.get("access_token"),
        }
        CodeIDToken(token.claims, token.header, options, beside).validate(leeway=LEEWAY_SECONDS)
        _check_subject(token.claims["sub"])
        _check_time(token.claims.get("auth_time"))
    except _BAD as error:
        raise UntrustedError(f"its ID token is not valid ({_why(error)})") from None
    return token.claims


async def read_logout_token(provider: Provider, text: str) -> LoggedOut:
    """Who has signed out (Back-Channel Logout 1.0, 2.6).

    Raises UntrustedError, UnreachableError.
    """
    try:
        token = await _decode(provider, text, (await provider.known()).algorithms)
        claims = token.claims
        types = LOGOUT_TYPES | (UNTYPED if provider.settings.untyped_logout else frozenset())
        if str(token.header.get("typ", "")).lower() not in types:
            raise InvalidClaimError("typ")
        options = _options(
            ("iss", "aud", "iat", "jti", "events"), provider, provider.settings.client_id
        )
        registry = JWTClaimsRegistry(leeway=LEEWAY_SECONDS, **options)
        registry.validate(claims)
        if claims["iat"] < registry.now - LOGOUT_SECONDS - LEEWAY_SECONDS:
            raise InvalidClaimError("iat")
        if not isinstance(claims["events"].get(LOGOUT_EVENT), dict):
            raise InvalidClaimError("events")
        if "nonce" in claims:
            raise InvalidClaimError("nonce")
        subject, sid = claims.get("sub"), claims.get("sid")
        if subject is None and sid is None:
            raise MissingClaimError("sub")
        for each in (subject, sid):
            if each is not None:
                _check_subject(each)
    except _BAD as error:
        raise UntrustedError(f"the logout token is not valid ({_why(error)})") from None
    id_ = id_of("logout", provider.settings.issuer, claims["jti"])
    return LoggedOut(subject, sid, claims["iat"], id_)


async def read_access_token(provider: Provider, text: str) -> Opened:
    """What an access token claims (RFC 9068, 4). Raises UntrustedError, UnreachableError."""
    try:
        token = await _decode(provider, text, ALGORITHMS)
        if str(token.header.get("typ", "")).lower() not in ACCESS_TYPES:
            raise InvalidClaimError("typ")
        options = _options(OF_ACCESS, provider, provider.settings.audience)
        JWTAccessTokenClaims(token.claims, token.header, options).validate(leeway=LEEWAY_SECONDS)
        _check_subject(token.claims["sub"])
    except _BAD as error:
        raise UntrustedError(f"the access token is not valid ({_why(error)})") from None
    claims = token.claims
    return Opened(
        claims["iss"],
        claims["sub"],
        claims["iat"],
        claims["exp"] + LEEWAY_SECONDS,
        _scopes_in(provider.settings, claims),
    )


def _scopes_in(settings: ProviderSettings, claims: Mapping[str, Any]) -> frozenset[Scope]:
    """Those of ours that a token names, in `scope` (RFC 9068, 2.2.3) or, as some do, in `scp`."""
    named: set[str] = set()
    for said in (claims.get("scope"), claims.get("scp")):
        words = said.split() if isinstance(said, str) else said
        named.update(filter(_is_text, words if isinstance(words, list) else []))
    prefix = settings.scope_prefix or ""
    ours = frozenset(each for each in Scope if f"{prefix}{each}" in named)
    return ours or frozenset(map(Scope, settings.unscoped))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def issuer_in(text: str) -> object:
    """Who a token says has signed it, unchecked: None where it is no token."""
    try:
        claims = read_json(jws.extract_compact(text.encode()).payload or b"")
    except _BAD:
        return None
    return claims.get("iss") if isinstance(claims, dict) else None


def lacks_key_of(known: Known | None, text: str) -> bool:
    """Whether a token is signed by a key that its provider has not told yet."""
    if known is None:
        return True
    try:
        kid = jws.extract_compact(text.encode()).headers().get("kid")
        known.keys.get_by_kid(kid)
    except InvalidKeyIdError:
        return True
    except _BAD:
        return False
    return False


async def _decode(provider: Provider, text: str, algorithms: Iterable[str]) -> jwt.Token:
    """A token whose signature is good. A key that is not known yet is asked for."""
    if len(text) > TOKEN_CHARACTERS:
        raise ValueError("it is too long")
    registry = jws.JWSRegistry(algorithms=list(algorithms), strict_check_header=False)
    try:
        return jwt.decode(text, (await provider.known()).keys, registry=registry)
    except InvalidKeyIdError:
        await provider.ask()
        return jwt.decode(text, (await provider.known()).keys, registry=registry)


def _options(names: Iterable[str], provider: Provider, audience: str | None) -> dict[str, Any]:
    """Claims that must be there, and what those of the issuer and the audience must be."""
    options: dict[str, Any] = {name: {"essential": True} for name in names}
    options["iss"]["value"] = provider.settings.issuer
    options["aud"]["value"] = audience
    return options


def _check_subject(value: object) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= SUBJECT_CHARACTERS:
        raise InvalidClaimError("sub")


def _check_time(value: object) -> None:
    """Seconds since 1970, which lie behind us."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    latest = time.time() + LEEWAY_SECONDS
    if value is not None and not (is_number and 0 <= value <= latest):  # type: ignore[operator]
        raise InvalidClaimError("auth_time")


def _why(error: Exception) -> str:
    """What is wrong, without any of what the token holds."""
    if isinstance(error, JoseError):
        return error.description or error.error
    return "it is no token"
