"""What is good once, and not for long: tokens by which a user has a new password, or an address.

Whoever has one is taken for the user, so of each only a hash is stored, and the newest of its kind.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from secrets import token_urlsafe
from uuid import UUID

import asyncpg
from attrs import field, frozen
from databases.core import Connection

from gateway.accounts.queries import Own
from shared.postgres.pool import columns
from shared.settings.gateway import GatewaySettings

PREFIX = "genaip_"
RANDOM_BYTES = 32
CHARACTERS = 64  # more than any has


class Purpose(StrEnum):
    """What a token is for. One that a mail brings voids none that an administrator has given."""

    RESET = "reset"
    RESET_BY_MAIL = "reset by mail"
    EMAIL = "email"


class TakenError(Exception):
    """Another user has shown that the address is his."""


@frozen
class OneTimeToken:
    """A token to be handed over, which is not known any more afterwards."""

    token: str = field(repr=False)
    expires_at: datetime


async def create_reset(
    connection: Connection,
    settings: GatewaySettings,
    user_id: UUID,
    purpose: Purpose = Purpose.RESET,
) -> OneTimeToken | None:
    """What a user sets a new password with; None: he is locked, or there is none."""
    lasts = timedelta(seconds=settings.password_reset_seconds)
    return await create_token(connection, user_id, purpose, lasts)


async def create_token(
    connection: Connection,
    user_id: UUID,
    purpose: Purpose,
    lasts: timedelta,
    email: str | None = None,
) -> OneTimeToken | None:
    """A token in place of the user's former one; None: he is locked, or there is none."""
    sql = """
        INSERT INTO one_time_tokens (user_id, purpose, token_hash, email, expires_at)
        SELECT id, CAST(:purpose AS text), CAST(:token_hash AS bytea), CAST(:email AS text),
               now() + CAST(:lasts AS interval)
        FROM users WHERE id = :user_id AND locked_at IS NULL
        ON CONFLICT (user_id, purpose) DO UPDATE SET
            token_hash = excluded.token_hash, email = excluded.email,
            created_at = excluded.created_at, expires_at = excluded.expires_at
        RETURNING expires_at
    """
    token = PREFIX + token_urlsafe(RANDOM_BYTES)
    values = {
        "user_id": user_id,
        "purpose": purpose.value,
        "token_hash": hash_of(token),
        "email": email,
        "lasts": lasts,
    }
    row = await connection.fetch_one(sql, values)
    return None if row is None else OneTimeToken(token, row["expires_at"])


def hash_of(token: str) -> bytes:
    """What is stored of one: it has too many bits to be guessed, so no salt is needed."""
    return sha256(token.encode(errors="surrogatepass")).digest()


async def select_holder(connection: Connection, token: str, *purposes: Purpose) -> Own | None:
    """Whose it is, if it is one of these that is still good."""
    sql = """
        SELECT users.id, username, password FROM one_time_tokens JOIN users ON users.id = user_id
        WHERE token_hash = :token_hash AND purpose = ANY(:purposes) AND expires_at > now()
          AND locked_at IS NULL
    """
    values = {"token_hash": hash_of(token), "purposes": [each.value for each in purposes]}
    row = await connection.fetch_one(sql, values)
    return Own(**columns(row)) if row else None


async def use_reset(connection: Connection, token: str, password_hash: str) -> UUID | None:
    """Give the user another password, and void all that was to give him one; who he is."""
    sql = """
        WITH used AS (
            DELETE FROM one_time_tokens USING users
            WHERE token_hash = :token_hash AND purpose <> 'email' AND expires_at > now()
              AND users.id = user_id AND locked_at IS NULL
            RETURNING user_id
        )
        UPDATE users SET password = :password_hash FROM used WHERE id = used.user_id RETURNING id
    """
    values = {"token_hash": hash_of(token), "password_hash": password_hash}
    user_id: UUID | None = await connection.fetch_val(sql, values)
    if user_id is not None:
        await delete_resets(connection, user_id)
    return user_id


async def use_email(connection: Connection, token: str) -> bool:
    """Give the user the address that the token came to, and void what the former one got.

    Raises TakenError."""
    sql = """
        WITH used AS (
            DELETE FROM one_time_tokens
            WHERE token_hash = :token_hash AND purpose = 'email' AND expires_at > now()
            RETURNING user_id, email
        ), void AS (
            DELETE FROM one_time_tokens USING used
            WHERE one_time_tokens.user_id = used.user_id AND purpose = 'reset by mail'
        )
        UPDATE users SET email = used.email, email_verified_at = now()
        FROM used WHERE id = used.user_id AND locked_at IS NULL RETURNING id
    """
    try:
        return await connection.fetch_val(sql, {"token_hash": hash_of(token)}) is not None
    except asyncpg.UniqueViolationError:
        raise TakenError from None


async def delete_resets(connection: Connection, user_id: UUID) -> None:
    """Void what is to give a user another password."""
    sql = "DELETE FROM one_time_tokens WHERE user_id = :user_id AND purpose <> 'email'"
    await connection.execute(sql, {"user_id": user_id})
