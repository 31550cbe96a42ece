"""Refresh tokens: each is good once, and names its sign-in, of which only the newest is stored.

One that was used before comes from somebody who has copied it, or whom it was copied from: that
ends the sign-in (RFC 9700, 4.14.2). What was never given out is told from it by its signature, so
nobody ends what is another's by making one up.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from hashlib import sha256
from secrets import token_bytes
from uuid import UUID

PREFIX = "genair_"
CHARACTERS = 128  # more than any has
_ID, _RANDOM, _MAC = 16, 32, 16  # bytes
_PURPOSE = b"refresh tokens\0"


def make_refresh_token(secret_key: str, sign_in_id: UUID) -> str:
    """A new one."""
    content = sign_in_id.bytes + token_bytes(_RANDOM)
    return PREFIX + urlsafe_b64encode(content + _sign(secret_key, content)).rstrip(b"=").decode()


def read_refresh_token(secret_key: str, token: str) -> UUID | None:
    """The sign-in of one that was given out here, perhaps long ago."""
    if not token.startswith(PREFIX) or len(token) > CHARACTERS:
        return None
    try:
        text = token.removeprefix(PREFIX).encode("ascii")
        whole = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except (Error, UnicodeEncodeError):
        return None
    content, signature = whole[:-_MAC], whole[-_MAC:]
    is_ours = len(content) == _ID + _RANDOM and hmac.compare_digest(
        _sign(secret_key, content), signature
    )
    return UUID(bytes=content[:_ID]) if is_ours else None


def hash_of(token: str) -> bytes:
    """What is stored of one: it has too many bits to be guessed, so no salt is needed."""
    return sha256(token.encode()).digest()


def _sign(secret_key: str, content: bytes) -> bytes:
    return hmac.digest(secret_key.encode(), _PURPOSE + content, "sha256")[:_MAC]
