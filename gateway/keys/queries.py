"""API keys in PostgreSQL. What is revoked is deleted; a trigger notes it."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.keys.schemas import ApiKey
from gateway.web.paging import Page, Slice, select_page
from gateway.web.quotas import Quota
from gateway.web.told import Told
from shared.postgres.pool import columns

KEYS = Quota(
    "API keys",
    lambda settings: settings.keys_per_user,
    "SELECT count(*) FROM api_keys WHERE user_id = :owner",
)


@frozen
class NewRow:
    """One to be stored."""

    id: UUID
    name: str
    hash: bytes
    start: str
    scopes: Sequence[str]
    networks: Sequence[str]
    lasts: timedelta | None


async def insert_key(connection: Connection, owner: UUID, new: NewRow) -> ApiKey | None:
    """Store one; None: it is for administrators, and its owner is none."""
    sql = """
        INSERT INTO api_keys (id, user_id, name, hash, start, scopes, networks, expires_at)
        SELECT CAST(:id AS uuid), users.id, CAST(:name AS text), CAST(:hash AS bytea),
               CAST(:start AS text), CAST(:scopes AS text[]), CAST(:networks AS text[]),
               now() + CAST(:lasts AS interval)
        FROM users
        WHERE users.id = :owner AND (role = 'admin' OR NOT 'admin' = ANY(CAST(:scopes AS text[])))
        RETURNING id, name, start, scopes, networks, created_at, expires_at, used_at, used_address
    """
    values = {
        "id": new.id,
        "owner": owner,
        "name": new.name,
        "hash": new.hash,
        "start": new.start,
        "scopes": list(new.scopes),
        "networks": list(new.networks),
        "lasts": new.lasts,
    }
    row = await connection.fetch_one(sql, values)
    return None if row is None else ApiKey(**columns(row))


async def select_keys(connection: Connection, owner: UUID, part: Slice) -> Page[ApiKey]:
    """The owner's, newest first."""
    sql = """
        SELECT id, name, start, scopes, networks, created_at, expires_at, used_at, used_address,
               1024 AS bytes
        FROM api_keys WHERE user_id = :owner
        ORDER BY created_at DESC, id LIMIT :limit OFFSET :offset
    """
    return await select_page(connection, sql, {"owner": owner}, part, Told(ApiKey))


async def update_key(connection: Connection, owner: UUID, id_: UUID, name: str) -> ApiKey | None:
    """The owner's key under another name."""
    sql = """
        UPDATE api_keys SET name = :name WHERE id = :id AND user_id = :owner
        RETURNING id, name, start, scopes, networks, created_at, expires_at, used_at, used_address
    """
    row = await connection.fetch_one(sql, {"id": id_, "owner": owner, "name": name})
    return None if row is None else ApiKey(**columns(row))


async def delete_key(connection: Connection, owner: UUID, id_: UUID) -> bool:
    """Whether the owner had such a key."""
    sql = "DELETE FROM api_keys WHERE id = :id AND user_id = :owner RETURNING id"
    return await connection.fetch_val(sql, {"id": id_, "owner": owner}) is not None
