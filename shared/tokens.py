"""The JWTs of users and agents: HS256 with SECRET_KEY, `exp` and `sub` required."""

import time
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any
from uuid import UUID, uuid4

from attrs import frozen
from databases.core import Connection
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError
from joserfc.jwk import OctKey

ALGORITHM = "HS256"
USER_TOKEN_SECONDS = 6 * 60 * 60
AGENT_TOKEN_EXPIRY = 253402300799  # the last second of the year 9999: it dies with its agent
KNOWN_TOKENS = 4096  # whose claims are remembered

# What reading a bad one raises: UUID() the last three, for claims that are no text.
_BAD = (JoseError, ValueError, TypeError, AttributeError)
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


def issue_agent_token(
    secret_key: str, agent_id: UUID, user_id: UUID, expires_in: int | None = None
) -> str:
    """A token that lives so many seconds, or as long as its agent; no two are the same."""
    expiry = AGENT_TOKEN_EXPIRY if expires_in is None else int(time.time()) + expires_in
    ids = {"sub": str(agent_id), "user_id": str(user_id), "jti": uuid4().hex}
    return _sign(secret_key, {**ids, "exp": expiry})


def read_token(secret_key: str, token: str) -> Claims | None:
    """What the token claims, or None for one that is forged, expired or of another form.

    Whether its user exists, or it is its agent's current one, is for the database to say.
    """
    try:
        claims, expiry = _verify(secret_key, token)
    except _BAD:
        return None
    return claims if expiry > int(time.time()) else None


def has_expired(secret_key: str, token: str) -> bool:
    """Whether the token is one of ours, and its time is over."""
    try:
        _, expiry = _verify(secret_key, token)
    except ExpiredTokenError:
        return True
    except _BAD:
        return False
    return expiry <= int(time.time())


async def select_is_current(connection: Connection, claims: Claims, token: str) -> bool:
    """Whether a token that claims this is the current one of its agent.

    An agent has one, which is stored as it was issued: whatever was issued before has ended with
    that, and all of them end with the agent.
    """
    sql = """
        SELECT EXISTS (
            SELECT FROM agents WHERE id = :agent_id AND creator_id = :user_id AND jwt = :token
        )
    """
    values = {"agent_id": claims.agent_id, "user_id": claims.user_id, "token": token}
    return bool(await connection.fetch_val(sql, values))


def read_signed_token(secret_key: str, token: str) -> Claims | None:
    """Whom a token names that was signed here, though it may have expired: only for the log."""
    try:
        claims = jwt.decode(token, _key(secret_key), algorithms=[ALGORITHM]).claims
        return _named(claims)
    except (*_BAD, KeyError):
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
