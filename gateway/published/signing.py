"""Signatures of cards: JWS with keys that follow from ENCRYPTION_KEYS, so each gateway has them."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws
from joserfc.jwk import ECKey

from gateway.openapi.schemas import Json

ALGORITHM = "ES256"
PURPOSE = b"signatures of A2A cards"
SEED_BYTES = 48  # 16 more than the order has: FIPS 186-5, A.2.1
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
REMEMBERED = 256  # signatures


class CardSigner:
    """Signs with the newest key; what was signed with the others can still be verified."""

    def __init__(self, encryption_keys: Sequence[bytes]) -> None:
        self._keys = [_derive(key) for key in encryption_keys]
        self._sign_once = lru_cache(REMEMBERED)(self._sign)

    @property
    def public_keys(self) -> Json:
        """All of them, as a JWK Set (RFC 7517)."""
        about = {"use": "sig", "alg": ALGORITHM}
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": key.thumbprint(), **about}
                for key in self._keys
            ]
        }

    def sign(self, content: Json, whole: Json, keys_url: str) -> list[Json]:
        """A signature for each way in which a card is read.

        Clients of 1.x drop what they don't know, and what is empty; others take it as it came.
        """
        forms = _canonical(_without_empty(content)), _canonical(whole)
        return [self._sign_once(each, keys_url) for each in forms]

    def _sign(self, payload: str, keys_url: str) -> Json:
        key = self._keys[0]
        header = {"alg": ALGORITHM, "typ": "JOSE", "kid": key.thumbprint(), "jku": keys_url}
        text = jws.serialize_compact(header, payload, key, [ALGORITHM])
        protected, _, signature = text.split(".")
        return {"protected": protected, "signature": signature}


def _derive(encryption_key: bytes) -> ECKey:
    """A private key that nobody who has not the other one can tell."""
    seed = HKDF(SHA256(), SEED_BYTES, salt=None, info=PURPOSE).derive(encryption_key)
    secret = int.from_bytes(seed) % (ORDER - 1) + 1
    key = ec.derive_private_key(secret, ec.SECP256R1())
    return ECKey.import_key(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _canonical(card: Any) -> str:
    """RFC 8785, for what cards hold: texts and booleans, under names of ASCII."""
    return json.dumps(card, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _without_empty(value: Any) -> Any:
    match value:
        case dict():
            kept = ((name, _without_empty(each)) for name, each in value.items())
            return {name: each for name, each in kept if not _is_empty(each)}
        case list():
            return [each for each in map(_without_empty, value) if not _is_empty(each)]
    return value


def _is_empty(value: object) -> bool:
    return value in ("", [], {})
