"""The headers by which users' servers know who asks, at rest: names in clear, values encrypted.

Each value is encrypted for its row and its name, and none takes the place of another.
"""

from collections.abc import Iterator, Mapping
from typing import Literal
from uuid import UUID

from shared.secrets import Vault

type HeadersTable = Literal["mcpservers", "a2acards"]

COLUMN = "headers"


def seal_headers(
    vault: Vault, table: HeadersTable, row: UUID, headers: Mapping[str, str]
) -> dict[str, str] | None:
    """The JSON value to store for the headers of a row; None: it has none."""
    sealed = {
        name: vault.encrypt(value, table, row, _column(name)) for name, value in headers.items()
    }
    return sealed or None


def open_headers(
    vault: Vault, table: HeadersTable, row: UUID, stored: Mapping[str, str] | None
) -> dict[str, str]:
    """The headers of which this is stored. Raises UndecryptableError."""
    return {
        name: vault.decrypt(sealed, table, row, _column(name))
        for name, sealed in (stored or {}).items()
    }


def secrets_of(headers: Mapping[str, str]) -> Iterator[str]:
    """What of headers must not be shown: the values, `Authorization` but for its scheme."""
    for name, value in headers.items():
        scheme, _, credentials = value.partition(" ")
        yield (credentials or scheme) if name.lower() == "authorization" else value


def _column(name: str) -> str:
    return f"{COLUMN}.{name.lower()}"
