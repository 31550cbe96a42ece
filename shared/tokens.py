"""The JWTs of users and agents: HS256 with SECRET_KEY, `exp` and `sub` required."""

import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any
from uuid import UUID, uuid4

from attrs import frozen
from databases.core import Connection
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError
from joserfc.jwk import OctKey

from shared.codec.text import read_json

ALGORITHM = "HS256"
USER_TOKEN_SECONDS = 6 * 60 * 60
AGENT_TOKEN_EXPIRY = 253402300799  # the last second of the year 9999: it dies with its agent
KNOWN_TOKENS = 4096  # whose claims are remembered

# What reading a bad one raises: UUID() the last three, for claims that are no text.
_BAD = (JoseError, ValueError, TypeError, AttributeError)
_claims = jwt.JWTClaimsRegistry(exp={"essential": True}, sub={"essential": True})


@frozen
class Claims:
    """Whom a token names: a user and his sign-in, or an agent and the user who created it."""

    user_id: UUID
    agent_id: UUID | None = None
    sign_in_id: UUID | None = None
    """None for an agent, and for a user whose token is older than sign-ins."""


def issue_user_token(
    secret_key: str,
    user_id: UUID,
    sign_in_id: UUID | None = None,
    seconds: int = USER_TOKEN_SECONDS,
) -> str:
    """A token that dies so many seconds from now, or with its sign-in."""
    sign_in = {} if sign_in_id is None else {"sid": str(sign_in_id)}
    expiry = int(time.time()) + seconds
    return _sign(secret_key, {"sub": str(user_id), "exp": expiry, **sign_in})


def issue_agent_token(
    secret_key: str, agent_id: UUID, user_id: UUID, expires_in: int | None = None
) -> str:
    """A token that lives so many seconds, or as long as its agent; no two are the same."""
    expiry = AGENT_TOKEN_EXPIRY if expires_in is None else int(time.time()) + expires_in
    ids = {"sub": str(agent_id), "user_id": str(user_id), "jti": uuid4().hex}
    return _sign(secret_key, {**ids, "exp": expiry})


def read_token(secret_key: str, token: str) -> Claims | None:
    """What the token claims, or None for one that is forged, expired or of another form.

    Whether its sign-in goes on, or it is its agent's current one, is for the database to say.
    """
    claims, _ = read_expiring(secret_key, token)
    return claims


def read_expiring(secret_key: str, token: str) -> tuple[Claims | None, float]:
    """The same, and when it expires, in seconds since 1970."""
    try:
        claims, expiry = _verify(secret_key, token)
    except _BAD:
        return None, 0.0
    return (claims, expiry) if expiry > int(time.time()) else (None, expiry)


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

    An agent has one: whatever was issued before has ended with that, and all of them end with the
    agent. While its user is locked none opens anything.
    """
    sql = """
        SELECT EXISTS (
            SELECT FROM agents JOIN users ON users.id = creator_id
            WHERE agents.id = :agent_id AND creator_id = :user_id AND jwt = ANY(:token_forms)
              AND locked_at IS NULL
        )
    """
    forms = stored_forms(token)
    values = {"agent_id": claims.agent_id, "user_id": claims.user_id, "token_forms": forms}
    return bool(await connection.fetch_val(sql, values))


def without_signature(token: str) -> str:
    """What is stored of a token: it opens nothing, and SECRET_KEY makes its signature again."""
    return token.rpartition(".")[0]


def stored_forms(token: str) -> list[str]:
    """How a token may be stored whose signature is known to be good: before, all of it was."""
    return [without_signature(token), token]


def is_whole(stored: str) -> bool:
    """Whether what is stored of an agent's token is all of it."""
    return stored.count(".") == 2  # noqa: PLR2004 (RFC 7515: header, payload, signature)


def restore_token(secret_key: str, owner: UUID | None, agent_id: UUID, stored: str) -> str:
    """The token of which this is stored with an agent; empty where it is not that agent's.

    Only what names the agent is signed, so that nothing that gets into the database is.
    """
    if is_whole(stored):
        return stored
    if not names_agent(stored, owner, agent_id):
        return ""
    signature = hmac.digest(secret_key.encode(), stored.encode(), "sha256")
    return f"{stored}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def names_agent(stored: str, owner: UUID | None, agent_id: UUID) -> bool:
    """Whether a token, or what is stored of one, is of this agent of this user."""
    try:
        payload = stored.split(".")[1]
        claims = read_json(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if (claims["sub"], claims.get("user_id")) == (str(agent_id), str(owner)):
            return True  # in a third of the time, and there are lists of a thousand
        named = _named(claims)
    except (ValueError, LookupError, TypeError, AttributeError):
        return False
    return named.agent_id == agent_id and (owner is None or named.user_id == owner)


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
    if "user_id" in claims:
        return Claims(UUID(claims["user_id"]), subject)
    return Claims(subject, sign_in_id=UUID(claims["sid"]) if "sid" in claims else None)


def _sign(secret_key: str, claims: dict[str, str | int]) -> str:
    return jwt.encode({"alg": ALGORITHM}, claims, _key(secret_key), [ALGORITHM])


@cache  # the one that the process has
def _key(secret_key: str) -> OctKey:
    return OctKey.import_key(secret_key)
