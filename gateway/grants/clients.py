"""As which client we come to an authorization server: one it knows, or one it registers."""

from typing import Any
from urllib.parse import urlsplit

import httpx2
from mcp.client.auth.oauth2 import check_registration_usable
from mcp.client.auth.utils import (
    create_client_info_from_metadata_url,
    create_client_registration_request,
    handle_registration_response,
    is_valid_client_metadata_url,
    issuers_match,
    should_use_client_metadata_url,
)
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata

from gateway.grants.discovery import Discovered, send
from gateway.grants.kept import GivenClient, Ourselves
from gateway.remote.errors import UnreachableError

NAME = "GenAI back-end"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# How a client that has a secret shows it, best first; one without shows none.
METHODS = ("client_secret_basic", "client_secret_post", "none")

NO_REGISTRATION = (
    "its authorization server registers no clients by itself: have one registered there for "
    "{redirect_uri}, and give its `client_id`, and its `client_secret` if it has one"
)


def document_of(ourselves: Ourselves) -> dict[str, Any]:
    """What stands at its URL, which is the client's id."""
    said = _describe(ourselves, method="none").model_dump(mode="json", exclude_none=True)
    return {"client_id": ourselves.document_url, **said}


async def find_client(
    http: httpx2.AsyncClient, found: Discovered, ourselves: Ourselves, given: GivenClient | None
) -> OAuthClientInformationFull:
    """The client that we are there: a given one is shown to no other authorization server.

    One is registered for each log-in: a server may have forgotten those that there were. Raises
    UnreachableError, OAuthRegistrationError.
    """
    if given is not None and (given.issuer is None or issuers_match(given.issuer, found.issuer)):
        client = _become(given, found, ourselves)
    elif _is_known_by_url(found, ourselves):
        client = create_client_info_from_metadata_url(
            ourselves.document_url, _describe(ourselves).redirect_uris
        )
    else:
        client = await _register(http, found, ourselves)
    client.issuer = found.issuer
    return client


def _become(
    given: GivenClient, found: Discovered, ourselves: Ourselves
) -> OAuthClientInformationFull:
    """What the SDK knows of it."""
    method = _method(found, has_secret=True) or METHODS[0]
    return OAuthClientInformationFull(
        client_id=given.id,
        client_secret=given.secret,
        token_endpoint_auth_method=method if given.secret else "none",
        redirect_uris=_describe(ourselves).redirect_uris,
    )


def _describe(
    ourselves: Ourselves, scope: str | None = None, method: str | None = None
) -> OAuthClientMetadata:
    """In the words of RFC 7591."""
    is_local = urlsplit(ourselves.redirect_uri).hostname in LOOPBACK
    said: dict[str, Any] = {
        "redirect_uris": [ourselves.redirect_uri],
        "client_name": NAME,
        "token_endpoint_auth_method": method,
        "application_type": "native" if is_local else "web",
        "scope": scope,
    }
    return OAuthClientMetadata(**said)


def _is_known_by_url(found: Discovered, ourselves: Ourselves) -> bool:
    is_one = is_valid_client_metadata_url(ourselves.document_url)
    return is_one and should_use_client_metadata_url(found.server, ourselves.document_url)


async def _register(
    http: httpx2.AsyncClient, found: Discovered, ourselves: Ourselves
) -> OAuthClientInformationFull:
    if found.server.registration_endpoint is None:
        raise UnreachableError(NO_REGISTRATION.format(redirect_uri=ourselves.redirect_uri))
    said = _describe(ourselves, found.scope, _method(found, has_secret=True))
    request = create_client_registration_request(found.server, said, found.issuer)
    client = await handle_registration_response(await send(http, request))
    check_registration_usable(client)
    client.redirect_uris = client.redirect_uris or said.redirect_uris
    if client.client_secret and client.token_endpoint_auth_method is None:  # RFC 7591, 2
        client.token_endpoint_auth_method = said.token_endpoint_auth_method or METHODS[0]
    return client


def _method(found: Discovered, *, has_secret: bool) -> str | None:
    """How the client shows who it is; None: the authorization server may choose."""
    offered = found.server.token_endpoint_auth_methods_supported
    if offered is None:
        return None
    ours = METHODS if has_secret else METHODS[-1:]
    return next((method for method in ours if method in offered), None)
