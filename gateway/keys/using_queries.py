"""What is asked and noted of API keys in PostgreSQL while they are used."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.web.scopes import Scope


@frozen
class StoredKey:
    """A key as it is checked; what it may is what its user may now."""

    id: UUID
    user_id: UUID
    scopes: frozenset[Scope]
    networks: Sequence[str]
    expires_at: float
    """Seconds since 1970."""
    is_locked: bool
    """Whether its user is."""


async def select_key(connection: Connection, hash_: bytes) -> StoredKey | None:
    """Whoever has it, also one that has expired."""
    sql = """
        SELECT api_keys.id, user_id, scopes, networks,
               coalesce(CAST(extract(epoch FROM expires_at) AS float8), 'infinity') AS expires_at,
               locked_at IS NOT NULL AS is_locked, role
        FROM api_keys JOIN users ON users.id = user_id
        WHERE hash = :hash
    """
    row = await connection.fetch_one(sql, {"hash": hash_})
    if row is None:
        return None
    fallen = set() if row["role"] == "admin" else {Scope.ADMIN}
    return StoredKey(
        row["id"],
        row["user_id"],
        frozenset(map(Scope, row["scopes"])) - fallen,
        row["networks"],
        row["expires_at"],
        row["is_locked"],
    )


@frozen
class Use:
    """When a key came last, and from where."""

    at: datetime
    address: str


async def update_uses(connection: Connection, uses: Mapping[UUID, Use]) -> None:
    """Note the last use of many, where no later one is noted."""
    sql = """
        WITH new AS (
            SELECT * FROM unnest(
                CAST(:ids AS uuid[]), CAST(:times AS timestamptz[]), CAST(:addresses AS text[])
            ) AS new (id, at, address)
        ), old AS (
            SELECT api_keys.id FROM api_keys JOIN new ON new.id = api_keys.id
            ORDER BY api_keys.id FOR NO KEY UPDATE OF api_keys
        )
        UPDATE api_keys SET used_at = new.at, used_address = new.address
        FROM new JOIN old ON old.id = new.id
        WHERE api_keys.id = new.id AND coalesce(used_at < new.at, true)
    """
    values = {
        "ids": list(uses),
        "times": [use.at for use in uses.values()],
        "addresses": [use.address for use in uses.values()],
    }
    await connection.execute(sql, values)
