"""The JWTs of users and agents: HS256 with SECRET_KEY, `exp` and `sub` required."""

import time
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from attrs import frozen
from joserfc import jwt
from joserfc.errors import InvalidClaimError, JoseError
from joserfc.jwk import OctKey

ALGORITHM = "HS256"
USER_TOKEN_SECONDS = 6 * 60 * 60
AGENT_TOKEN_EXPIRY = 253402300799  # the last second of the year 9999: it dies with its agent
KNOWN_TOKENS = 4096  # whose claims are remembered

_claims = jwt.JWTClaimsRegistry(exp={"essential": True}, sub={"essential": True})


@frozen
class Claims:
    """Whom a token names: a user, or an agent and the user who created it."""

    user_id: UUID
    agent_id: UUID | None = None


def issue_user_token(secret_key: str, user_id: UUID) -> str:
    """A token that dies six hours from now."""
    expiry = int(time.time()) + USER_TOKEN_SECONDS
    return _sign(secret_key, {"sub": str(user_id), "exp": expiry})


def issue_agent_token(secret_key: str, agent_id: UUID, user_id: UUID) -> str:
    """A token that lives as long as its agent."""
    return _sign(
        secret_key, {"sub": str(agent_id), "exp": AGENT_TOKEN_EXPIRY, "user_id": str(user_id)}
    )


def read_token(secret_key: str, token: str) -> Claims | None:
    """What the token claims, or None for one that is forged, expired or of another form.

    Whether user and agent still exist is for the database to say.
    """
    try:
        claims, expiry = _verify(secret_key, token)
    except (JoseError, ValueError, TypeError, AttributeError):
        return None  # UUID() raises the last three for claims that are no text
    return claims if expiry > int(time.time()) else None


def read_signed_token(secret_key: str, token: str) -> Claims | None:
    """Whom a token names that was signed here, though it may have expired: only for the log."""
    try:
        claims = jwt.decode(token, _key(secret_key), algorithms=[ALGORITHM]).claims
        return _named(claims)
    except (JoseError, ValueError, TypeError, AttributeError, KeyError):
        return None


@lru_cache(KNOWN_TOKENS)
def _verify(secret_key: str, token: str) -> tuple[Claims, float]:
    """What a good token claims, and when it expires: the only thing that changes with time.

    What is no good is not remembered, so nobody fills this with made-up ones.
    """
    claims = jwt.decode(token, _key(secret_key), algorithms=[ALGORITHM]).claims
    _claims.validate(claims)
    if "aud" in claims:
        raise InvalidClaimError("aud")  # RFC 7519: not for us, whom it can't name
    return _named(claims), claims["exp"]


def _named(claims: Mapping[str, Any]) -> Claims:
    subject = UUID(claims["sub"])
    return Claims(UUID(claims["user_id"]), subject) if "user_id" in claims else Claims(subject)


def _sign(secret_key: str, claims: dict[str, str | int]) -> str:
    return jwt.encode({"alg": ALGORITHM}, claims, _key(secret_key), [ALGORITHM])


@cache  # the one that the process has
def _key(secret_key: str) -> OctKey:
    return OctKey.import_key(secret_key)
