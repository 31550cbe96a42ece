"""One sign-in at a provider, in two halves: whoever begins it, and whoever comes back.

Authorization code with PKCE, state and nonce (OpenID Connect Core 1.0, 3.1; RFC 9700, 2.1).
"""

import secrets
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, cast
from uuid import uuid4

import httpx2
from attrs import field, frozen
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from msgspec import UnsetType

from gateway.identities.providers import Metadata, Provider
from gateway.identities.schemas import LoginBegin
from gateway.identities.sealing import CODE_SECONDS, FLOW_SECONDS, Flow, Proof
from gateway.identities.tokens import LEEWAY_SECONDS, UntrustedError, read_id_token
from gateway.remote.errors import UnreachableError
from shared.settings.providers import ProviderSettings

OFFLINE = "offline_access"
NAME_CHARACTERS = 255
EMAIL_CHARACTERS = 254  # RFC 5321, 4.5.3.1.3, with brackets around it
TOLD_BY_NAME = ("preferred_username", "name", "nickname", "email")

OTHER_ISSUER = "somebody else has answered in its place"
OTHER_SUBJECT = "it says something of another person than who has signed in"


@frozen
class Begun:
    """A sign-in that has begun."""

    flow: Flow
    state: str = field(repr=False)
    url: str = field(repr=False)
    """Where somebody signs in."""


async def begin(provider: Provider, callback: str, asked: LoginBegin) -> Begun:
    """Where somebody signs in at a provider, who comes back to `callback`.

    Raises UnreachableError.
    """
    metadata, settings = (await provider.known()).metadata, provider.settings
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    max_age = _max_age(settings, asked)
    flow = Flow(
        provider=provider.name,
        redirect_uri=asked.redirect_uri,
        page_state=asked.state,
        challenge=asked.code_challenge,
        offline=OFFLINE in asked.scope.split(),
        nonce=nonce,
        verifier=verifier,
        expires_at=int(time.time()) + FLOW_SECONDS,
        max_age=max_age,
    )
    url = prepare_grant_uri(
        metadata.authorization_endpoint,
        settings.client_id,
        "code",
        callback,
        list(settings.scopes),
        state,
        nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
        **_asking_again(max_age),
    )
    return Begun(flow, state, url)


def _max_age(settings: ProviderSettings, asked: LoginBegin) -> int | None:
    """The least of what the settings and the page want."""
    wanted = [] if isinstance(asked.max_age, UnsetType) else [asked.max_age]
    return min([*wanted, *([settings.max_age] if settings.max_age else [])], default=None)


def _asking_again(max_age: int | None) -> dict[str, Any]:
    """What has a provider ask anew who it is. Some know of 0 by the other name alone."""
    if max_age is None:
        return {}
    return {"max_age": max_age, **({} if max_age else {"prompt": "login"})}


async def finish(
    provider: Provider, flow: Flow, callback: str, code: str, issuer: str | None
) -> Proof:
    """Who has come back with a code. Raises UntrustedError, UnreachableError."""
    metadata = (await provider.known()).metadata
    _check_issuer(metadata, issuer)
    make = partial(
        AsyncOAuth2Client,
        client_id=provider.settings.client_id,
        client_secret=provider.settings.client_secret,
        token_endpoint_auth_method=_method_of(metadata, provider.settings),
        leeway=0,
    )
    async with provider.outbound.visit(make=make) as http:
        given = await _exchange(http, metadata, flow, callback, code)
        claims = await read_id_token(provider, given, flow.nonce)
        authenticated_at = _check_time(flow, claims.get("auth_time"))
        told = await _read_userinfo(http, metadata, claims["sub"])
    return _prove(provider, flow, {**told, **claims}, authenticated_at)


def _check_time(flow: Flow, told: Any) -> int | None:
    """When somebody has shown who he is (OpenID Connect Core 1.0, 3.1.2.1: `max_age`)."""
    if flow.max_age is None:
        return None if told is None else int(told)
    begun_at = flow.expires_at - FLOW_SECONDS
    if told is None:
        raise UntrustedError("it does not say when it has asked who that is")
    if told < begun_at - flow.max_age - LEEWAY_SECONDS:
        raise UntrustedError("it has asked too long ago who that is")
    return int(told)


def _check_issuer(metadata: Metadata, issuer: str | None) -> None:
    """Who has sent somebody back (RFC 9207, 2.4): it may be another one of the providers."""
    is_told = metadata.authorization_response_iss_parameter_supported
    if issuer != metadata.issuer and (is_told or issuer is not None):
        raise UntrustedError(OTHER_ISSUER)


def _method_of(metadata: Metadata, settings: ProviderSettings) -> str:
    """How the client shows itself: in the body where that goes, in which any secret fits."""
    if settings.client_secret is None:
        return "none"
    ways = ("client_secret_post", "client_secret_basic")
    said = metadata.token_endpoint_auth_methods_supported
    return next((way for way in ways if way in said), ways[-1])


async def _exchange(
    http: httpx2.AsyncClient, metadata: Metadata, flow: Flow, callback: str, code: str
) -> Mapping[str, Any]:
    client = cast("Any", http)  # authlib's, which has no types
    try:
        given: Mapping[str, Any] = await client.fetch_token(
            metadata.token_endpoint,
            grant_type="authorization_code",
            code=code,
            redirect_uri=callback,
            code_verifier=flow.verifier,
        )
    except OAuthError as error:
        said = f"{error.error}: {error.description}"
        raise UntrustedError("it does not take the code that it has given", said) from None
    except (ValueError, httpx2.HTTPStatusError):
        raise UnreachableError("its answer to a code is no token") from None
    return given


async def _read_userinfo(
    http: httpx2.AsyncClient, metadata: Metadata, subject: str
) -> dict[str, Any]:
    """What it says of somebody besides: many say in ID tokens who it is, and no more."""
    if metadata.userinfo_endpoint is None:
        return {}
    answer = await http.get(metadata.userinfo_endpoint)
    try:
        told = answer.json() if answer.is_success else None
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise UnreachableError("it does not say who has signed in")
    if told.get("sub") != subject:
        raise UntrustedError(OTHER_SUBJECT)
    return told


def _prove(
    provider: Provider, flow: Flow, claims: Mapping[str, Any], authenticated_at: int | None
) -> Proof:
    settings = provider.settings
    sid = claims.get("sid")
    return Proof(
        id=uuid4(),
        provider=provider.name,
        issuer=settings.issuer,
        subject=claims["sub"],
        sid=sid if isinstance(sid, str) else None,
        name=_name_in(settings, claims),
        email=_email_in(claims),
        is_admin=_is_admin(settings, claims),
        redirect_uri=flow.redirect_uri,
        challenge=flow.challenge,
        offline=flow.offline,
        expires_at=int(time.time()) + CODE_SECONDS,
        authenticated_at=authenticated_at,
    )


def _name_in(settings: ProviderSettings, claims: Mapping[str, Any]) -> str:
    """What it calls somebody: the claim of the settings, or another that says something."""
    names = (claims.get(each) for each in (settings.name_claim, *TOLD_BY_NAME))
    found = next((name for name in names if isinstance(name, str) and name.strip()), None)
    return (found or settings.name)[:NAME_CHARACTERS]


def _email_in(claims: Mapping[str, Any]) -> str | None:
    """The mail, if it is verified, in the form in which two of one mailbox are the same text.

    Of other letters than ASCII's, several can become one when they are made small.
    """
    email, is_verified = claims.get("email"), claims.get("email_verified")
    if is_verified is not True or not isinstance(email, str) or not email.isascii():
        return None
    is_one = "@" in email and len(email) <= EMAIL_CHARACTERS and email.isprintable()
    return email.strip().lower() if is_one else None


def _is_admin(settings: ProviderSettings, claims: Mapping[str, Any]) -> bool | None:
    if settings.admin_group is None:
        return None
    groups = claims.get(settings.groups_claim)
    return settings.admin_group in (groups if isinstance(groups, list) else [groups])
