"""Log-ins that have begun, as they are stored: encrypted, and not larger than they need be."""

from typing import Final
from uuid import UUID

from gateway.grants.kept import Flow
from gateway.remote.errors import UnreachableError
from shared.codec.converter import structure, unstructure
from shared.codec.text import read_json, write_json
from shared.domain.grants import Grant, seal_grant
from shared.secrets import Vault

TABLE: Final = "mcp_authorizations"
COLUMN: Final = "flow"
SEALED_LIMIT = 64 * 1024  # characters

TOO_LARGE = "its authorization server says too much"


def seal_flow(vault: Vault, id_: UUID, flow: Flow) -> str:
    """The text to store. Raises UnreachableError."""
    text = write_json(unstructure(flow)).decode()
    return _bounded(vault.encrypt(text, TABLE, id_, COLUMN))


def open_flow(vault: Vault, id_: UUID, stored: str) -> Flow:
    """The log-in of which this is stored. Raises UndecryptableError."""
    return structure(read_json(vault.decrypt(stored, TABLE, id_, COLUMN)), Flow)


def seal_given(vault: Vault, server_id: UUID, grant: Grant) -> str:
    """The text to store for a grant that a server has given. Raises UnreachableError."""
    return _bounded(seal_grant(vault, server_id, grant))


def _bounded(sealed: str) -> str:
    if len(sealed) > SEALED_LIMIT:
        raise UnreachableError(TOO_LARGE)
    return sealed
