"""Which authorization server an MCP server names, and how one logs in there.

By RFC 9728 and RFC 8414; without either, by what the specification of 2025-03-26 had.
"""

from typing import Any
from urllib.parse import urlsplit

import httpx2
from attrs import frozen
from mcp.client.auth import OAuthFlowError
from mcp.client.auth.utils import (
    build_oauth_authorization_server_metadata_discovery_urls,
    build_protected_resource_metadata_discovery_urls,
    create_oauth_metadata_request,
    extract_resource_metadata_from_www_auth,
    extract_scope_from_www_auth,
    get_client_metadata_scopes,
    handle_auth_metadata_response,
    handle_protected_resource_response,
    issuers_match,
    validate_metadata_issuer,
)
from mcp.shared.auth import DEFAULT_GRANT_TYPES, OAuthMetadata, ProtectedResourceMetadata
from mcp.shared.auth_utils import check_resource_allowed, resource_url_from_server_url

from gateway.remote.challenges import REFUSALS
from gateway.remote.errors import UnreachableError

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}  # which makes no session
ACCEPT = {"Accept": "application/json, text/event-stream"}
PKCE = "S256"

TELLS_NOTHING = "its authorization server does not say how to log in there"
IN_CLEAR = "its authorization server does not speak HTTPS"
DESCRIBED_IN_CLEAR = "how to log in there is not described over HTTPS"
LONG_SCOPE = "it wants a scope that is too long"
SCOPE_LIMIT = 2000  # characters
NO_PKCE = "its authorization server does not protect the codes that it gives (PKCE by S256)"


@frozen
class Discovered:
    """How one logs in at an MCP server."""

    server: OAuthMetadata
    """What the authorization server says of itself."""
    issuer: str
    resource: str | None
    """For what tokens are asked for (RFC 8707); None: the server is from before there was that."""
    scope: str | None


async def discover(http: httpx2.AsyncClient, url: str) -> Discovered:
    """How one logs in at the MCP server at a URL. Raises UnreachableError, OAuthFlowError."""
    metadata_url, wanted = await _read_challenge(http, url)
    protected = await _find_protected(http, url, metadata_url)
    named = str(protected.authorization_servers[0]) if protected else None
    server, issuer = await _find_server(http, url, named)
    if url.startswith("https:") and not _is_secret(server):
        raise UnreachableError(IN_CLEAR)
    scope = get_client_metadata_scopes(wanted, protected, server, [*DEFAULT_GRANT_TYPES])
    if len(scope or "") > SCOPE_LIMIT:
        raise UnreachableError(LONG_SCOPE)
    return Discovered(server, issuer, _resource(url, protected), scope)


async def send(http: httpx2.AsyncClient, request: httpx2.Request) -> httpx2.Response:
    """Send a request of the SDK's, which knows nothing of a client's limits."""
    content = await request.aread()
    own = http.build_request(
        request.method, request.url, headers=request.headers, content=content or None
    )
    return await http.send(own)


async def _read_challenge(http: httpx2.AsyncClient, url: str) -> tuple[str | None, str | None]:
    """Where the server says more of itself, and which scope it wants, where it says so."""
    async with http.stream("POST", url, json=PING, headers=ACCEPT) as answer:
        if answer.status_code not in REFUSALS:
            return None, None
        metadata_url = extract_resource_metadata_from_www_auth(answer)
        return metadata_url, extract_scope_from_www_auth(answer)


async def _find_protected(
    http: httpx2.AsyncClient, url: str, metadata_url: str | None
) -> ProtectedResourceMetadata | None:
    for candidate in build_protected_resource_metadata_discovery_urls(metadata_url, url):
        answer = await _read(http, url, candidate)
        if found := await handle_protected_resource_response(answer):
            return found
    return None


async def _find_server(
    http: httpx2.AsyncClient, url: str, named: str | None
) -> tuple[OAuthMetadata, str]:
    """What the authorization server says of itself, and the issuer that it is.

    One that is not named is at the MCP server's own host, as the specification had it at first.
    """
    issuer = named or _origin(url)
    for candidate in build_oauth_authorization_server_metadata_discovery_urls(named, url):
        answer = await _read(http, url, candidate)
        is_there, found = await handle_auth_metadata_response(answer)
        if found:
            if named is None and issuers_match(str(found.issuer), issuer):
                issuer = str(found.issuer)
            validate_metadata_issuer(found, issuer)
            if PKCE not in (found.code_challenge_methods_supported or []):
                raise UnreachableError(NO_PKCE)
            return found, issuer
        if not is_there:
            break
    if named is not None:
        raise UnreachableError(TELLS_NOTHING)
    return _by_convention(issuer), issuer


async def _read(http: httpx2.AsyncClient, url: str, metadata_url: str) -> httpx2.Response:
    """What stands there, for the MCP server at a URL: who changes it on the way gets the tokens."""
    if url.startswith("https:") and not metadata_url.startswith("https:"):
        raise UnreachableError(DESCRIBED_IN_CLEAR)
    return await send(http, create_oauth_metadata_request(metadata_url))


def _is_secret(server: OAuthMetadata) -> bool:
    used = server.authorization_endpoint, server.token_endpoint, server.registration_endpoint
    return all(endpoint.scheme == "https" for endpoint in used if endpoint)


def _by_convention(origin: str) -> OAuthMetadata:
    """Where everything is if nobody says so, as the specification of 2025-03-26 had it."""
    places: dict[str, Any] = {
        "issuer": origin,
        "authorization_endpoint": f"{origin}/authorize",
        "token_endpoint": f"{origin}/token",
        "registration_endpoint": f"{origin}/register",
    }
    return OAuthMetadata(**places)


def _resource(url: str, protected: ProtectedResourceMetadata | None) -> str | None:
    if protected is None:
        return None
    asked, stated = resource_url_from_server_url(url), str(protected.resource)
    if not check_resource_allowed(requested_resource=asked, configured_resource=stated):
        raise OAuthFlowError(f"its metadata is about another resource, {stated}")
    return stated


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
