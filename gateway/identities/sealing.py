"""What browsers keep for us between two of their visits, encrypted: nobody writes it but we."""

import time
from typing import Final
from uuid import UUID

from attrs import field, frozen

from shared.codec.converter import structure, unstructure
from shared.codec.faults import InvalidInputError
from shared.codec.text import read_json, write_json
from shared.secrets import UndecryptableError, Vault

TABLE: Final = "oidc"
SEALED_LIMIT = 8 * 1024  # characters
FLOW_SECONDS = 600
CODE_SECONDS = 60

_to_url = str.maketrans("+/", "-_")
_from_url = str.maketrans("-_", "+/")


@frozen
class Flow:
    """A sign-in that has begun: in a cookie of the browser in which it did."""

    provider: str
    redirect_uri: str
    """Of the page that asked for it."""
    page_state: str
    challenge: str
    """By which that page will show that it is the one (RFC 7636)."""
    offline: bool
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    expires_at: int
    max_age: int | None = None
    """Seconds since the provider has asked who it is, when it began; None: any number."""


@frozen
class Proof:
    """Who somebody is, by the word of a provider: in the code that the page gets."""

    id: UUID
    """Of the code, however it is spelt, and of the sign-in that begins by it."""
    provider: str
    issuer: str
    subject: str = field(repr=False)
    sid: str | None
    name: str
    email: str | None
    """One that is verified, in small letters."""
    is_admin: bool | None
    """None: the provider does not say who is one."""
    redirect_uri: str
    challenge: str
    offline: bool
    expires_at: int
    authenticated_at: int | None = None
    """When somebody has shown there who he is; None: the provider does not say."""


def seal[T](vault: Vault, thing: T, place: UUID) -> str:
    """The text for a browser, which fits into a cookie, and into a URL as it is."""
    text = write_json(unstructure(thing)).decode()
    sealed = vault.encrypt(text, TABLE, place, type(thing).__name__)
    return sealed.translate(_to_url).rstrip("=")


def unseal[T: (Flow, Proof)](vault: Vault, text: str, kind: type[T], place: UUID) -> T | None:
    """The thing of which this was given out for this place; None: it is none, or over."""
    if len(text) > SEALED_LIMIT:
        return None
    key_id, _, sealed = text.translate(_from_url).partition(".")
    whole = f"{key_id}.{sealed}{'=' * (-len(sealed) % 4)}"
    try:
        opened = vault.decrypt(whole, TABLE, place, kind.__name__)
        thing = structure(read_json(opened), kind)
    except (UndecryptableError, InvalidInputError, ValueError):
        return None
    return thing if thing.expires_at > time.time() else None
