"""What is kept of a log-in between its halves, who takes part in it, and what comes of it."""

from typing import Any

import httpx2
from attrs import field, frozen

from gateway.remote.errors import UnreachableError
from shared.domain.grants import Grant


class GrantEndedError(UnreachableError):
    """What was granted is no good any more: its owner has to log in again."""


@frozen
class Ourselves:
    """What we say of ourselves, all of it made of PUBLIC_URL."""

    redirect_uri: str
    """Where authorization servers send people back to."""
    document_url: str
    """Where it is said; an authorization server may know us by that alone."""


@frozen
class GivenClient:
    """One that a user has had registered."""

    id: str
    secret: str | None = field(default=None, repr=False)
    issuer: str | None = None
    """Of the authorization server that knows it; None: of the one that is found."""


@frozen
class Flow:
    """What is needed to take whoever comes back."""

    url: str
    """Of the MCP server."""
    redirect_uri: str
    verifier: str = field(repr=False)
    grant: Grant
    """Still without tokens."""
    server: dict[str, Any]
    """What the authorization server says of itself, as far as it is needed."""

    @property
    def host(self) -> str:
        """Of the authorization server."""
        return httpx2.URL(self.server["authorization_endpoint"]).host


@frozen
class Begun:
    """A log-in that has begun."""

    flow: Flow
    state: str = field(repr=False)
    authorization_url: str = field(repr=False)


@frozen
class Given:
    """What an authorization server has given."""

    grant: Grant
    renew_in: float | None
    """Seconds after which it is to be renewed; None: it does not say when it ends."""
