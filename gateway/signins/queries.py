"""The sign-ins of users in PostgreSQL. Whatever is ended, a trigger notes as revoked."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.audit.noting import Actor
from gateway.signins.schemas import SignIn
from shared.postgres.rows import build

SIGN_INS_LIMIT = 1000  # of a user; a further one ends the one that was used least recently
KEPT = timedelta(days=30)  # after its end
THEMSELVES = Actor("api")  # who acts is each one's user, which a trigger knows


@frozen
class NewSignIn:
    """One to be stored."""

    id: UUID
    user_id: UUID
    method: str
    device: str
    address: str
    refresh_hash: bytes | None
    lasts: timedelta
    """Until its last token has expired, if it is not renewed."""
    identity_id: UUID | None = None
    """By which it was begun, if by any."""
    provider_sid: str | None = None
    authenticated_at: datetime | None = None
    """When its user has shown who he is; None: just now."""


async def insert_sign_ins(
    connection: Connection, new: Sequence[NewSignIn], *, waits: bool = False
) -> list[list[UUID] | None]:
    """Store some; for each which others of its user have ended for it.

    None: the user is locked or gone, or somebody is changing him who is not waited for.
    """
    busy = "" if waits else "SKIP LOCKED"
    sql = f"""
        WITH allowed AS (
            SELECT given.* FROM unnest(
                CAST(:ids AS uuid[]), CAST(:user_ids AS uuid[]), CAST(:methods AS text[]),
                CAST(:devices AS text[]), CAST(:addresses AS text[]),
                CAST(:refresh_hashes AS bytea[]), CAST(:lasts AS interval[]),
                CAST(:identity_ids AS uuid[]), CAST(:provider_sids AS text[]),
                CAST(:authenticated_at AS timestamptz[])
            ) AS given (
                id, user_id, method, device, address, refresh_hash, lasts, identity_id,
                provider_sid, authenticated_at
            )
            JOIN users ON users.id = given.user_id
            WHERE locked_at IS NULL AND set_config('genai.actor', :actor, true) IS NOT NULL
            FOR KEY SHARE OF users {busy}
        ), counted AS (
            SELECT user_id, count(*) AS added FROM allowed GROUP BY user_id
        ), ended AS (
            UPDATE sign_ins SET ended_at = clock_timestamp()
            FROM counted CROSS JOIN LATERAL (
                SELECT id FROM sign_ins
                WHERE user_id = counted.user_id AND ended_at IS NULL AND expires_at > now()
                ORDER BY used_at DESC OFFSET :most - added
            ) AS old
            WHERE sign_ins.id = old.id
            RETURNING sign_ins.id, sign_ins.user_id
        ), added AS (
            INSERT INTO sign_ins (
                id, user_id, method, device, address, refresh_hash, expires_at, identity_id,
                provider_sid, authenticated_at
            )
            SELECT id, user_id, method, device, address, refresh_hash, now() + lasts, identity_id,
                   provider_sid, least(authenticated_at, now())
            FROM allowed
            RETURNING id, user_id
        )
        SELECT id, array(SELECT id FROM ended WHERE ended.user_id = added.user_id) AS ended
        FROM added
    """  # noqa: S608 (one of two texts)
    values = {
        "ids": [each.id for each in new],
        "user_ids": [each.user_id for each in new],
        "methods": [each.method for each in new],
        "devices": [each.device for each in new],
        "addresses": [each.address for each in new],
        "refresh_hashes": [each.refresh_hash for each in new],
        "lasts": [each.lasts for each in new],
        "identity_ids": [each.identity_id for each in new],
        "provider_sids": [each.provider_sid for each in new],
        "authenticated_at": [each.authenticated_at for each in new],
        "most": SIGN_INS_LIMIT,
        "actor": THEMSELVES.said(),
    }
    stored = {row["id"]: list(row["ended"]) for row in await connection.fetch_all(sql, values)}
    return [stored.get(each.id) for each in new]


@frozen
class Renewal:
    """A refresh token that was presented, and the one that is to follow it."""

    sign_in_id: UUID
    presented: bytes
    following: bytes
    device: str
    address: str
    lasts: timedelta
    """Until the following one expires."""
    at_most: timedelta
    """Since the sign-in began."""


async def renew_sign_in(connection: Connection, renewal: Renewal) -> UUID | None:
    """Its user, if it goes on and the presented token is its newest."""
    sql = """
        UPDATE sign_ins SET
            refresh_hash = :following, used_at = now(), device = :device, address = :address,
            expires_at = least(
                now() + CAST(:lasts AS interval),
                sign_ins.created_at + CAST(:at_most AS interval)
            )
        FROM users
        WHERE sign_ins.id = :id AND refresh_hash = :presented AND ended_at IS NULL
          AND expires_at > now() AND users.id = user_id AND locked_at IS NULL
        RETURNING user_id
    """
    values = {
        "id": renewal.sign_in_id,
        "presented": renewal.presented,
        "following": renewal.following,
        "device": renewal.device,
        "address": renewal.address,
        "lasts": renewal.lasts,
        "at_most": renewal.at_most,
    }
    user_id: UUID | None = await connection.fetch_val(sql, values)
    return user_id


async def end_copied(
    connection: Connection, sign_in_id: UUID, presented: bytes, actor: str
) -> bool:
    """End one of whose tokens an older one was presented; whether it had not ended yet."""
    sql = """
        UPDATE sign_ins SET ended_at = clock_timestamp()
        WHERE id = :id AND ended_at IS NULL AND refresh_hash <> :presented
          AND set_config('genai.actor', :actor, true) IS NOT NULL
        RETURNING id
    """
    values = {"id": sign_in_id, "presented": presented, "actor": actor}
    return await connection.fetch_val(sql, values) is not None


async def end_sign_ins(
    connection: Connection, user_id: UUID, but: UUID | None = None
) -> list[UUID]:
    """End all of a user's, but for this one; which have ended, for `Revocations.publish`."""
    sql = """
        UPDATE sign_ins SET ended_at = clock_timestamp()
        WHERE user_id = :user_id AND ended_at IS NULL AND expires_at > now()
          AND id IS DISTINCT FROM CAST(:but AS uuid)
        RETURNING id
    """
    rows = await connection.fetch_all(sql, {"user_id": user_id, "but": but})
    return [row["id"] for row in rows]


async def end_sign_in(connection: Connection, user_id: UUID, sign_in_id: UUID) -> bool:
    """End one of a user's; whether there was one to end."""
    sql = """
        UPDATE sign_ins SET ended_at = clock_timestamp()
        WHERE id = :id AND user_id = :user_id AND ended_at IS NULL AND expires_at > now()
        RETURNING id
    """
    values = {"id": sign_in_id, "user_id": user_id}
    return await connection.fetch_val(sql, values) is not None


async def select_is_recent(
    connection: Connection, user_id: UUID, sign_in_id: UUID | None, seconds: int
) -> bool:
    """Whether it is one of whose user is known since so many seconds at most who he is."""
    sql = """
        SELECT EXISTS (
            SELECT FROM sign_ins
            WHERE id = :id AND user_id = :user_id AND ended_at IS NULL
              AND coalesce(authenticated_at, created_at) > now() - make_interval(secs => :seconds)
        )
    """
    values = {"id": sign_in_id, "user_id": user_id, "seconds": seconds}
    return bool(await connection.fetch_val(sql, values))


async def update_authenticated(connection: Connection, user_id: UUID, sign_in_id: UUID) -> bool:
    """Note that a user has just shown who he is; whether it is a sign-in of his that goes on."""
    sql = """
        UPDATE sign_ins SET authenticated_at = now()
        WHERE id = :id AND user_id = :user_id AND ended_at IS NULL AND expires_at > now()
        RETURNING id
    """
    values = {"id": sign_in_id, "user_id": user_id}
    return await connection.fetch_val(sql, values) is not None


async def select_sign_ins(
    connection: Connection, user_id: UUID, current: UUID | None
) -> Sequence[SignIn]:
    """Those of a user that go on, the one that was used last first."""
    sql = """
        SELECT id, method, device, address, timezone('utc', created_at) AS created_at,
               timezone('utc', used_at) AS used_at, timezone('utc', expires_at) AS expires_at,
               id IS NOT DISTINCT FROM CAST(:current AS uuid) AS is_current
        FROM sign_ins
        WHERE user_id = :user_id AND ended_at IS NULL AND expires_at > now()
        ORDER BY sign_ins.used_at DESC, id
    """
    rows = await connection.fetch_all(sql, {"user_id": user_id, "current": current})
    return build(SignIn, rows)


async def delete_old(connection: Connection, most: int) -> int:
    """Delete at most so many that are long over, and what may be forgotten of them."""
    sql = """
        WITH old AS (
            DELETE FROM sign_ins WHERE id IN (
                SELECT id FROM sign_ins WHERE expires_at < now() - CAST(:kept AS interval)
                LIMIT :most
            ) RETURNING id
        ), forgotten AS (
            DELETE FROM revocations WHERE id IN (
                SELECT id FROM revocations WHERE forget_at < now() LIMIT :most
            ) RETURNING id
        )
        SELECT (SELECT count(*) FROM old) + (SELECT count(*) FROM forgotten)
    """
    return int(await connection.fetch_val(sql, {"kept": KEPT, "most": most}))
