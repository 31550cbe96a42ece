"""One log-in at an authorization server, in two halves: whoever begins it, and whoever comes back.

Between them there may be minutes, and another gateway: what the second half needs is a `Flow`.
"""

import secrets
from typing import Any

import httpx2
from mcp.client.auth import PKCEParameters
from mcp.client.auth.utils import validate_authorization_response_iss
from mcp.shared.auth import OAuthClientInformationFull, OAuthMetadata

from gateway.grants.clients import document_of, find_client
from gateway.grants.discovery import Discovered, discover
from gateway.grants.errors import explained
from gateway.grants.kept import Begun, Flow, Given, GivenClient, Ourselves
from gateway.grants.tokens import exchange, renew
from gateway.remote.outbound import Outbound
from shared.domain.grants import Grant

OFFLINE = "offline_access"
KEPT_OF_CLIENT = {
    *("client_id", "client_secret", "token_endpoint_auth_method", "redirect_uris", "issuer")
}
KEPT_OF_SERVER = {
    *("issuer", "authorization_endpoint", "token_endpoint"),
    "authorization_response_iss_parameter_supported",
}


async def begin(
    outbound: Outbound, url: str, ourselves: Ourselves, given: GivenClient | None
) -> Begun:
    """Find out where one logs in to use the MCP server at a URL. Raises UnreachableError."""
    async with outbound.visit() as http:
        with explained():
            found = await discover(http, url)
            client = await find_client(http, found, ourselves, given)
    pkce, state = PKCEParameters.generate(), secrets.token_urlsafe(32)
    grant = Grant(
        client.model_dump(mode="json", include=KEPT_OF_CLIENT, exclude_none=True),
        given is not None and given.id == client.client_id,
        str(found.server.token_endpoint),
        found.resource,
        found.scope,
    )
    server = found.server.model_dump(mode="json", include=KEPT_OF_SERVER, exclude_none=True)
    flow = Flow(url, ourselves.redirect_uri, pkce.code_verifier, grant, server)
    return Begun(flow, state, _address(found, client, ourselves, pkce.code_challenge, state))


async def finish(outbound: Outbound, flow: Flow, code: str, issuer: str | None) -> Given:
    """The grant of whoever came back with a code. Raises UnreachableError."""
    with explained():
        validate_authorization_response_iss(issuer, OAuthMetadata(**flow.server))
        async with outbound.visit() as http:
            return await exchange(http, flow.grant, code, flow.verifier, flow.redirect_uri)


async def renew_grant(outbound: Outbound, grant: Grant, seconds: float) -> Given:
    """The grant with new tokens. Raises GrantEndedError, UnreachableError."""
    with explained():
        async with outbound.visit(seconds=seconds) as http:
            return await renew(http, grant)


async def describe(ourselves: Ourselves) -> dict[str, Any]:
    """What stands at the URL that is our id where we are known by it."""
    return document_of(ourselves)


def _address(
    found: Discovered,
    client: OAuthClientInformationFull,
    ourselves: Ourselves,
    challenge: str,
    state: str,
) -> str:
    """Where one logs in (RFC 6749, 4.1.1; RFC 7636, 4.3). What the endpoint has itself stays."""
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": ourselves.redirect_uri,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **({"resource": found.resource} if found.resource else {}),
        **({"scope": found.scope} if found.scope else {}),
        # As OpenID Connect wants it, core 1.0, 11.
        **({"prompt": "consent"} if OFFLINE in (found.scope or "").split() else {}),
    }
    endpoint = httpx2.URL(str(found.server.authorization_endpoint))
    return str(endpoint.copy_merge_params(asked))
