"""Users' mail addresses in PostgreSQL. A provider that he signs in by may have given one too."""

from datetime import datetime
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from shared.postgres.pool import columns


@frozen
class Addressed:
    """Where a user's mail goes, and where it will."""

    id: UUID
    username: str
    email: str | None
    verified_at: datetime | None
    unverified: str | None


async def select_email(connection: Connection, owner: UUID) -> Addressed | None:
    """The user's own."""
    sql = """
        SELECT users.id, username, users.email, email_verified_at AS verified_at,
               token.email AS unverified
        FROM users LEFT JOIN one_time_tokens AS token
            ON token.user_id = users.id AND purpose = 'email' AND expires_at > now()
        WHERE users.id = :owner
    """
    row = await connection.fetch_one(sql, {"owner": owner})
    return Addressed(**columns(row)) if row else None


async def select_by_email(connection: Connection, email: str) -> tuple[UUID, str, str] | None:
    """Id, name and address of the user who has verified it, unless he is locked."""
    sql = """
        SELECT id, username, email FROM users
        WHERE lower(email) = lower(:email) AND email_verified_at IS NOT NULL AND locked_at IS NULL
    """
    row = await connection.fetch_one(sql, {"email": email})
    return (row["id"], row["username"], row["email"]) if row else None


async def delete_email(connection: Connection, owner: UUID) -> None:
    """Forget a user's address, and what was to show another one."""
    sql = """
        WITH void AS (
            DELETE FROM one_time_tokens
            WHERE user_id = :owner AND purpose IN ('email', 'reset by mail')
        )
        UPDATE users SET email = NULL, email_verified_at = NULL WHERE id = :owner
    """
    await connection.execute(sql, {"owner": owner})
