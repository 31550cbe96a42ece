"""Tokens: had for a code, and renewed (RFC 6749, 4.1.3 and 6; RFC 8707)."""

import re
from collections.abc import Mapping
from typing import Any, cast

import attrs
import httpx2
from attrs import frozen
from mcp.client.auth import TokenStorage
from mcp.client.auth.oauth2 import OAuthContext
from mcp.client.auth.utils import handle_token_response_scopes
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from gateway.grants.errors import GrantEndedError
from gateway.remote.credentials import TOKEN_LIMIT
from gateway.remote.errors import UnreachableError, UnsuccessfulError
from shared.codec.converter import load
from shared.codec.faults import InvalidInputError
from shared.domain.grants import Grant

ENDED = frozenset({"invalid_grant", "invalid_client", "unauthorized_client"})
LONGEST_LIFE = 10 * 365 * 24 * 3600  # seconds
AHEAD_SECONDS = 300.0  # before the end, that tokens are renewed
SHORTEST_SECONDS = 10.0  # from one renewal to the next

_token = re.compile(r"[!-~]+")


@frozen
class Given:
    """What an authorization server has given."""

    grant: Grant
    renew_in: float | None
    """Seconds after which it is to be renewed; None: it does not say when it ends."""


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
    if not answer.is_success:
        raise _refusal(answer)
    return _given(grant, await handle_token_response_scopes(answer))


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


def _refusal(answer: httpx2.Response) -> UnreachableError:
    error, described = _read_error(answer)
    said = ": ".join(filter(None, (error, described)))
    if error in ENDED:
        return GrantEndedError("its authorization server does not take what it has given", said)
    status = answer.status_code
    return UnsuccessfulError(f"its authorization server gives no token ({status})", status, said)


def _read_error(answer: httpx2.Response) -> tuple[str, str]:
    """The error's word and what is said of it (RFC 6749, 5.2)."""
    try:
        told: Any = load(answer.content)
    except InvalidInputError:
        return "", ""
    if not isinstance(told, dict):
        return "", ""
    return str(told.get("error") or ""), str(told.get("error_description") or "")


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
