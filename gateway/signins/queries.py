"""The sign-ins of users in PostgreSQL. Whatever is ended, a trigger notes as revoked."""

from datetime import datetime, timedelta
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.signins.schemas import SignIn
from gateway.web.paging import Page, select_whole
from gateway.web.told import Told

SIGN_INS_LIMIT = 1000  # of a user; a further one ends the one that was used least recently
KEPT = timedelta(days=30)  # after its end


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


async def insert_sign_in(connection: Connection, new: NewSignIn, actor: str) -> list[UUID] | None:
    """Store one; which others have ended for it. None: the user is locked, or gone."""
    sql = """
        WITH allowed AS (
            SELECT id FROM users
            WHERE id = :user_id AND locked_at IS NULL
              AND set_config('genai.actor', :actor, true) IS NOT NULL
        ), ended AS (
            UPDATE sign_ins SET ended_at = clock_timestamp()
            WHERE id IN (
                SELECT sign_ins.id FROM sign_ins JOIN allowed ON allowed.id = user_id
                WHERE ended_at IS NULL AND expires_at > now()
                ORDER BY used_at DESC OFFSET :most
            )
            RETURNING id
        ), added AS (
            INSERT INTO sign_ins (
                id, user_id, method, device, address, refresh_hash, expires_at,
                identity_id, provider_sid, authenticated_at
            )
            SELECT CAST(:id AS uuid), id, CAST(:method AS text), CAST(:device AS text),
                   CAST(:address AS text), CAST(:refresh_hash AS bytea),
                   now() + CAST(:lasts AS interval),
                   CAST(:identity_id AS uuid), CAST(:provider_sid AS text),
                   least(CAST(:authenticated_at AS timestamptz), now())
            FROM allowed
            RETURNING id
        )
        SELECT array(SELECT id FROM ended) AS ended FROM added
    """
    values = {
        "id": new.id,
        "user_id": new.user_id,
        "method": new.method,
        "device": new.device,
        "address": new.address,
        "refresh_hash": new.refresh_hash,
        "lasts": new.lasts,
        "identity_id": new.identity_id,
        "provider_sid": new.provider_sid,
        "authenticated_at": new.authenticated_at,
        "most": SIGN_INS_LIMIT - 1,
        "actor": actor,
    }
    row = await connection.fetch_one(sql, values)
    return None if row is None else list(row["ended"])


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
) -> Page[SignIn]:
    """Those of a user that go on, the one that was used last first."""
    sql = """
        SELECT id, method, device, address, created_at, used_at, expires_at,
               id IS NOT DISTINCT FROM CAST(:current AS uuid) AS is_current
        FROM sign_ins
        WHERE user_id = :user_id AND ended_at IS NULL AND expires_at > now()
        ORDER BY used_at DESC, id
    """
    values = {"user_id": user_id, "current": current}
    return await select_whole(connection, sql, values, Told(SignIn))


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
