"""Tokens: had for a code, and renewed (RFC 6749, 4.1.3 and 6; RFC 8707)."""

import re
from collections.abc import Mapping
from typing import Any, cast

import attrs
import httpx2
from mcp.client.auth import TokenStorage
from mcp.client.auth.oauth2 import OAuthContext
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import ValidationError

from gateway.grants.kept import Given, GrantEndedError
from gateway.remote.credentials import TOKEN_LIMIT
from gateway.remote.errors import UnreachableError, UnsuccessfulError
from shared.codec.converter import load
from shared.codec.faults import InvalidInputError
from shared.domain.grants import Grant

ENDED = frozenset({"invalid_grant", "invalid_client", "unauthorized_client"})
LONGEST_LIFE = 10 * 365 * 24 * 3600  # seconds
BESIDE = ("scope", "refresh_token")  # texts that may be left out
AHEAD_SECONDS = 300.0  # before the end, that tokens are renewed
SHORTEST_SECONDS = 10.0  # from one renewal to the next

_token = re.compile(r"[!-~]+")


async def exchange(
    http: httpx2.AsyncClient, grant: Grant, code: str, verifier: str, redirect_uri: str
) -> Given:
    """The grant with the tokens for a code. Raises UnreachableError, OAuthTokenError."""
    asked = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    return await _ask(http, grant, asked)


async def renew(http: httpx2.AsyncClient, grant: Grant) -> Given:
    """The grant with new tokens.

    Raises GrantEndedError where its owner has to log in again, UnreachableError, OAuthTokenError.
    """
    if grant.refresh_token is None:
        raise GrantEndedError("its token has ended, and there is none to renew it by")
    asked = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
    return await _ask(http, grant, asked)


async def _ask(http: httpx2.AsyncClient, grant: Grant, asked: Mapping[str, str]) -> Given:
    client = OAuthClientInformationFull(**grant.client)
    fields = {**asked, "client_id": client.client_id}
    if grant.resource is not None:
        fields["resource"] = grant.resource
    fields, headers = _as_client(client, fields)
    answer = await http.post(grant.token_endpoint, data=fields, headers=headers)
    told = _read_object(answer)
    if not answer.is_success or "error" in told:  # which some answer by 200
        raise _refusal(answer.status_code, told)
    return _given(grant, _read_token(told))


def _as_client(
    client: OAuthClientInformationFull, fields: dict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The fields and headers by which a client shows that it is the one."""
    context = OAuthContext(
        server_url="",
        client_metadata=OAuthClientMetadata(redirect_uris=client.redirect_uris),
        storage=cast("TokenStorage", None),  # which has no place for all that is kept
        redirect_handler=None,
        callback_handler=None,
        client_info=client,
    )
    return context.prepare_token_auth(fields, {"Accept": "application/json"})


def _refusal(status: int, told: Mapping[str, Any]) -> UnreachableError:
    """The error's word and what is said of it (RFC 6749, 5.2)."""
    error = told.get("error")
    said = ": ".join(str(each) for each in (error, told.get("error_description")) if each)
    if isinstance(error, str) and error in ENDED:
        return GrantEndedError("its authorization server does not take what it has given", said)
    return UnsuccessfulError(f"its authorization server gives no token ({status})", status, said)


def _read_object(answer: httpx2.Response) -> dict[str, Any]:
    try:
        told = load(answer.content)
    except InvalidInputError:
        return {}
    return told if isinstance(told, dict) else {}


def _read_token(told: Mapping[str, Any]) -> OAuthToken:
    """The tokens, whatever is said beside them: those before may be good for nothing any more."""
    beside = {"expires_in": _seconds(told.get("expires_in"))}
    beside |= {name: None for name in BESIDE if not isinstance(told.get(name), str)}
    try:
        return OAuthToken.model_validate({**told, **beside})
    except ValidationError:  # whose text repeats what was given
        raise UnreachableError("its authorization server gives no token that can be used") from None


def _seconds(value: object) -> int | None:
    try:
        return int(float(value)) if isinstance(value, str | int | float) else None
    except (ValueError, OverflowError):
        return None


def _given(grant: Grant, token: OAuthToken) -> Given:
    """What is left out stays as it was."""
    if not _token.fullmatch(token.access_token) or len(token.access_token) > TOKEN_LIMIT:
        raise UnreachableError("its authorization server gives a token that can't be sent")
    renewed = attrs.evolve(
        grant,
        access_token=token.access_token,
        refresh_token=token.refresh_token or grant.refresh_token,
        scope=token.scope or grant.scope,
    )
    return Given(renewed, _renew_in(token.expires_in, renewed))


def _renew_in(expires_in: int | None, grant: Grant) -> float | None:
    if expires_in is None:
        return None
    life = min(max(expires_in, 0), LONGEST_LIFE)
    if grant.refresh_token is None:
        return float(life)  # when it ends, its owner is told
    return max(life - AHEAD_SECONDS, life / 2, SHORTEST_SECONDS)
