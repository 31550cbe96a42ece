"""As whom users are known to providers, in PostgreSQL."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from attrs import frozen
from databases.core import Connection

from gateway.identities.schemas import Identity
from gateway.identities.sealing import Proof
from gateway.identities.tokens import LoggedOut, Opened
from gateway.web.paging import Page, select_whole
from gateway.web.told import Told
from shared.postgres.pool import columns


@frozen
class Linked:
    """An identity, and whose it is."""

    id: UUID
    user_id: UUID


async def use_identity(connection: Connection, proof: Proof) -> Linked | None:
    """The identity that a provider vouches for, which is used by that; None: it is nobody's."""
    sql = """
        UPDATE identities SET used_at = now(), provider = :provider, name = :name
        WHERE issuer = :issuer AND subject = :subject
        RETURNING id, user_id
    """
    row = await connection.fetch_one(sql, _values_of(proof))
    return Linked(**columns(row)) if row else None


async def select_is_of(connection: Connection, owner: UUID, proof: Proof) -> bool:
    """Whether a provider vouches for this user."""
    sql = """
        SELECT EXISTS (
            SELECT FROM identities
            WHERE issuer = :issuer AND subject = :subject AND user_id = :owner
        )
    """
    values = {"issuer": proof.issuer, "subject": proof.subject, "owner": owner}
    return bool(await connection.fetch_val(sql, values))


async def insert_identity(connection: Connection, user_id: UUID, proof: Proof) -> UUID | None:
    """The id of a user's further identity; None: somebody has it, or the user is gone."""
    sql = """
        INSERT INTO identities (id, user_id, provider, issuer, subject, name)
        SELECT CAST(:id AS uuid), id, CAST(:provider AS text), CAST(:issuer AS text),
               CAST(:subject AS text), CAST(:name AS text)
        FROM users WHERE id = :user_id
        ON CONFLICT (issuer, subject) DO NOTHING
        RETURNING id
    """
    values = {**_values_of(proof), "id": uuid4(), "user_id": user_id}
    id_: UUID | None = await connection.fetch_val(sql, values)
    return id_


async def select_by_email(connection: Connection, email: str) -> UUID | None:
    """The user who is known to have this mail; of letters that only become these, nobody."""
    sql = """
        SELECT id FROM users
        WHERE lower(email) = :email AND email_verified_at IS NOT NULL
          AND octet_length(email) = char_length(email)
    """
    id_: UUID | None = await connection.fetch_val(sql, {"email": email})
    return id_


async def lock_email(connection: Connection, email: str) -> None:
    """Let nobody else become its owner until the transaction ends."""
    sql = "SELECT pg_advisory_xact_lock(hashtextextended('users.email ' || :email, 0))"
    await connection.execute(sql, {"email": email})


async def set_email(connection: Connection, user_id: UUID, email: str) -> None:
    """Note the mail that a provider has verified, of a user who has none, unless it is another's.

    It must be locked.
    """
    sql = """
        UPDATE users SET email = :email, email_verified_at = now()
        WHERE id = :user_id AND email_verified_at IS NULL
          AND NOT EXISTS (
              SELECT FROM users WHERE lower(email) = :email AND email_verified_at IS NOT NULL
          )
    """
    await connection.execute(sql, {"user_id": user_id, "email": email})


async def set_role(connection: Connection, user_id: UUID, role: str) -> bool:
    """Whether that is another role than before."""
    sql = "UPDATE users SET role = :role WHERE id = :user_id AND role <> :role RETURNING id"
    values = {"user_id": user_id, "role": role}
    return await connection.fetch_val(sql, values) is not None


IDENTITIES = """
    SELECT id, provider, name, created_at, used_at FROM identities
    WHERE user_id = :owner ORDER BY created_at, id
"""


async def select_told_identities(connection: Connection, owner: UUID) -> Page[Identity]:
    """Those of a user, the oldest first, as they are told."""
    return await select_whole(connection, IDENTITIES, {"owner": owner}, Told(Identity))


async def select_identities(connection: Connection, owner: UUID) -> Sequence[Identity]:
    """The same as objects."""
    rows = await connection.fetch_all(IDENTITIES, {"owner": owner})
    return [Identity(**columns(row)) for row in rows]


async def select_password_for_update(connection: Connection, owner: UUID) -> str | None:
    """The hash of a user's password; until the transaction ends nobody else takes a way in away."""
    sql = "SELECT password FROM users WHERE id = :owner FOR UPDATE"
    password: str | None = await connection.fetch_val(sql, {"owner": owner})
    return password


async def delete_identity(connection: Connection, owner: UUID, id_: UUID) -> list[UUID] | None:
    """Delete one of a user's and end its sign-ins, which are told; None: there is none."""
    sql = """
        WITH deleted AS (
            DELETE FROM identities WHERE id = :id AND user_id = :owner RETURNING id
        ), ended AS (
            UPDATE sign_ins SET ended_at = clock_timestamp()
            FROM deleted
            WHERE identity_id = deleted.id AND ended_at IS NULL AND expires_at > now()
            RETURNING sign_ins.id
        )
        SELECT array(SELECT id FROM ended) AS ended FROM deleted
    """
    row = await connection.fetch_one(sql, {"id": id_, "owner": owner})
    return None if row is None else list(row["ended"])


async def end_copied(connection: Connection, sign_in_id: UUID, actor: str) -> bool:
    """End one whose code came a second time; whether it had begun, and not ended yet."""
    sql = """
        UPDATE sign_ins SET ended_at = clock_timestamp()
        WHERE id = :id AND ended_at IS NULL AND set_config('genai.actor', :actor, true) IS NOT NULL
        RETURNING id
    """
    values = {"id": sign_in_id, "actor": actor}
    return await connection.fetch_val(sql, values) is not None


async def end_sign_ins_of_subject(
    connection: Connection, issuer: str, subject: str, sid: str | None
) -> list[UUID]:
    """End those of a subject, or of one session of his there; which have ended.

    Those of which it is not known from which session they came are of any.
    """
    sql = """
        UPDATE sign_ins SET ended_at = clock_timestamp()
        FROM identities
        WHERE issuer = :issuer AND subject = :subject AND identity_id = identities.id
          AND (CAST(:sid AS text) IS NULL OR coalesce(provider_sid, :sid) = :sid)
          AND ended_at IS NULL AND expires_at > now()
        RETURNING sign_ins.id
    """
    values = {"issuer": issuer, "subject": subject, "sid": sid}
    return [row["id"] for row in await connection.fetch_all(sql, values)]


async def end_sign_ins_of_session(connection: Connection, issuer: str, sid: str) -> list[UUID]:
    """End those of a provider's session, whosever it is; which have ended."""
    sql = """
        UPDATE sign_ins SET ended_at = clock_timestamp()
        FROM identities
        WHERE provider_sid = :sid AND identities.id = identity_id AND issuer = :issuer
          AND ended_at IS NULL AND expires_at > now()
        RETURNING sign_ins.id
    """
    rows = await connection.fetch_all(sql, {"issuer": issuer, "sid": sid})
    return [row["id"] for row in rows]


async def note_logout(connection: Connection, issuer: str, ended: LoggedOut) -> Sequence[UUID]:
    """Note when a person signed out at a provider; the identities of whom that is, one or none.

    Of a session alone it is whoever has signed in here from it.
    """
    sql = """
        WITH named AS (
            SELECT id FROM identities WHERE issuer = :issuer AND subject = :subject
            UNION ALL
            SELECT identity_id FROM sign_ins
            WHERE provider_sid = :sid AND CAST(:subject AS text) IS NULL
        )
        UPDATE identities SET
            logged_out_at = greatest(logged_out_at, to_timestamp(CAST(:at AS float8)))
        WHERE id IN (SELECT id FROM named) AND issuer = :issuer
        RETURNING id
    """
    values = {"issuer": issuer, "subject": ended.subject, "sid": ended.sid, "at": ended.at}
    return [row["id"] for row in await connection.fetch_all(sql, values)]


async def insert_revocations(connection: Connection, ids: Sequence[UUID]) -> None:
    """Have all gateways told of what no trigger notes."""
    sql = """
        INSERT INTO revocations (id) SELECT unnest(CAST(:ids AS uuid[]))
        ON CONFLICT (id) DO UPDATE SET at = DEFAULT, forget_at = DEFAULT
    """
    await connection.execute(sql, {"ids": list(ids)})


async def select_holder(connection: Connection, opened: Opened) -> Linked | None:
    """Whom the provider's own token lets in: nobody who is locked, or has signed out since."""
    sql = """
        SELECT identities.id, user_id FROM identities JOIN users ON users.id = user_id
        WHERE issuer = :issuer AND subject = :subject AND locked_at IS NULL
          AND coalesce(logged_out_at < to_timestamp(CAST(:issued_at AS float8)), true)
    """
    values = {
        "issuer": opened.issuer,
        "subject": opened.subject,
        "issued_at": opened.issued_at,
    }
    row = await connection.fetch_one(sql, values)
    return Linked(**columns(row)) if row else None


def _values_of(proof: Proof) -> dict[str, Any]:
    return {
        "provider": proof.provider,
        "issuer": proof.issuer,
        "subject": proof.subject,
        "name": proof.name,
    }
