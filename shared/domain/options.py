"""The options of providers (their metadata) and of model configs (their credentials) at rest.

They may hold keys, so they are encrypted; from before there may be some in clear, as JSON objects.
A ciphertext is a JSON text in the same column. Where there are no options, none are encrypted.
"""

from typing import Any
from uuid import UUID

from attrs import frozen

from shared.codec.text import read_json, write_json
from shared.secrets import Vault


@frozen
class OptionsColumn:
    """Where options are stored, to which their ciphertexts are bound."""

    table: str
    name: str


METADATA = OptionsColumn("modelproviders", "provider_metadata")
CREDENTIALS = OptionsColumn("modelconfigs", "credentials")


def seal_options(
    vault: Vault, column: OptionsColumn, row: UUID, options: dict[str, Any]
) -> str | dict[str, Any]:
    """The JSON value to store for options in this column of a row."""
    if not options:
        return {}
    return vault.encrypt(write_json(options).decode(), column.table, row, column.name)


def open_options(vault: Vault, column: OptionsColumn, row: UUID, stored: object) -> dict[str, Any]:
    """The options of which this JSON value is stored; none where it is no object of before.

    Raises UndecryptableError.
    """
    match stored:
        case str():
            options: dict[str, Any] = read_json(
                vault.decrypt(stored, column.table, row, column.name)
            )
            return options
        case dict():
            return stored
    return {}


def open_text(vault: Vault, column: OptionsColumn, row: UUID, stored: str) -> str:
    """The JSON text of options of which this is stored: such a text, or a ciphertext as it is.

    Raises UndecryptableError.
    """
    if stored.lstrip().startswith("{"):
        return stored
    return vault.decrypt(stored, column.table, row, column.name)
