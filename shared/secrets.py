"""Secrets at rest: AES-GCM, each ciphertext bound to the place where it is stored."""

import os
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from json import dumps
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
KEY_ID_CHARACTERS = 8
SHORTEST_SECRET = 4  # a shorter one is no secret, and hiding it would garble every text

REDACTED = "********"

_sealed = re.compile(r"[0-9a-f]{8}\.[A-Za-z0-9+/]+={0,2}")
_secret_name = re.compile("key|secret|token|passw|auth|credential", re.IGNORECASE)


def id_of(*parts: str) -> UUID:
    """The id of what has these parts: who reads the database learns none of them."""
    return UUID(bytes=sha256("\0".join(parts).encode()).digest()[:16])


class UndecryptableError(Exception):
    """A stored secret can't be read: its key is gone, or it was moved or damaged."""


class Vault:
    """Encrypts with the newest key, decrypts with whichever key it was.

    A ciphertext is `<key id>.<base64 of nonce and ciphertext>`. The place (table, row, column)
    and the key id are authenticated with it, so one that is copied elsewhere does not decrypt.
    """

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._newest = next(iter(self._ciphers))

    @property
    def newest(self) -> str:
        """What each ciphertext of the newest key begins with, and no other."""
        return f"{self._newest}."

    def encrypt(self, secret: str, table: str, row: UUID, column: str) -> str:
        """The text to store for a secret at this place."""
        nonce = os.urandom(NONCE_BYTES)
        place = _place(table, row, column, self._newest)
        sealed = self._ciphers[self._newest].encrypt(nonce, secret.encode(), place)
        return f"{self._newest}.{b64encode(nonce + sealed).decode()}"

    def decrypt(self, stored: str, table: str, row: UUID, column: str) -> str:
        """The secret that was stored at this place. Raises UndecryptableError."""
        key_id, _, text = stored.partition(".")
        try:
            sealed = b64decode(text, validate=True)
            nonce, sealed = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
            place = _place(table, row, column, key_id)
            return self._ciphers[key_id].decrypt(nonce, sealed, place).decode()
        except (KeyError, ValueError, InvalidTag):
            raise UndecryptableError(f"{table}.{column} of {row} can't be decrypted") from None


def is_sealed(stored: str) -> bool:
    """Whether a stored text has the form of a ciphertext, whichever key it was made with."""
    return _sealed.fullmatch(stored) is not None


def named_secrets(options: Mapping[str, Any]) -> Iterator[str]:
    """The values of credentials or metadata whose names say that they are secret."""
    for name, value in options.items():
        if isinstance(value, str) and _secret_name.search(name):
            yield value


def hide(text: str, forms: Iterable[str]) -> str:
    """The text without these forms of secrets."""
    for form in forms:
        text = text.replace(form, REDACTED)
    return text


def forms_of(secrets: Iterable[str]) -> list[str]:
    """How secrets stand in texts, in JSON and in JSON within JSON; the longest first."""
    forms = {form for secret in secrets for form in _forms(secret)}
    return sorted(forms, key=len, reverse=True)


def _forms(secret: str) -> list[str]:
    if len(secret) < SHORTEST_SECRET:
        return []
    once = [dumps(secret)[1:-1], dumps(secret, ensure_ascii=False)[1:-1]]
    return [secret, *once, *(dumps(form)[1:-1] for form in once)]


def _key_id(key: bytes) -> str:
    return sha256(key).hexdigest()[:KEY_ID_CHARACTERS]


def _place(table: str, row: UUID, column: str, key_id: str) -> bytes:
    return f"{table}\n{row}\n{column}\n{key_id}".encode()
