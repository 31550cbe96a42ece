"""What users have granted by logging in at their MCP servers: at rest, and as it is sent."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from attrs import field, frozen

from shared.codec.converter import structure, unstructure
from shared.codec.text import read_json, write_json
from shared.domain.headers import open_headers
from shared.secrets import Vault

TABLE: Final = "mcpservers"
COLUMN: Final = "oauth"
AUTHORIZATION = "Authorization"


@frozen
class Grant:
    """Tokens, and how they are renewed; without tokens it is the client's registration alone."""

    client: dict[str, Any] = field(repr=False)
    """As the authorization server has registered it, in the SDK's words."""
    is_given: bool
    """Whether the user has had the client registered."""
    token_endpoint: str
    resource: str | None = None
    scope: str | None = None
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)

    @property
    def secrets(self) -> Iterator[str]:
        """What of it must not be shown."""
        for secret in (self.access_token, self.refresh_token, self.client.get("client_secret")):
            if isinstance(secret, str):
                yield secret


def seal_grant(vault: Vault, row: UUID, grant: Grant) -> str:
    """The text to store for the grant of a row."""
    return vault.encrypt(write_json(unstructure(grant)).decode(), TABLE, row, COLUMN)


def open_grant(vault: Vault, row: UUID, stored: str) -> Grant:
    """The grant of which this is stored. Raises UndecryptableError."""
    return structure(read_json(vault.decrypt(stored, TABLE, row, COLUMN)), Grant)


def open_sent(
    vault: Vault, row: UUID, headers: Mapping[str, str] | None, oauth: str | None
) -> dict[str, str]:
    """What an MCP server is sent of which these are stored. Raises UndecryptableError."""
    opened = open_headers(vault, TABLE, row, headers)
    return opened if oauth is None else with_token(opened, open_grant(vault, row, oauth))


def with_token(headers: Mapping[str, str], grant: Grant) -> dict[str, str]:
    """The headers with the token of a grant, in place of another `Authorization`."""
    if grant.access_token is None:
        return dict(headers)
    others = {name: value for name, value in headers.items() if not is_authorization(name)}
    return {**others, AUTHORIZATION: f"Bearer {grant.access_token}"}


def is_authorization(name: str) -> bool:
    """Whether a header is the one that a token becomes."""
    return name.lower() == AUTHORIZATION.lower()
