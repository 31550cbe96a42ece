"""MCP servers and their tools in PostgreSQL."""

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID, uuid4

from attrs import field, frozen
from databases.core import Connection

from gateway.remote.credentials import Values
from gateway.remote.kinds import Due, Target
from gateway.web.quotas import Quota
from shared.domain.grants import open_sent
from shared.domain.headers import seal_headers
from shared.postgres.pool import columns
from shared.secrets import Vault

TABLE: Final = "mcpservers"


@frozen
class StoredSent:
    """What a server is sent, as it is stored."""

    id: UUID
    headers: dict[str, str] | None = field(repr=False)
    oauth: str | None = field(repr=False)


SERVERS = Quota(
    "MCP servers",
    lambda settings: settings.mcp_servers_per_user,
    "SELECT count(*) FROM mcpservers WHERE creator_id = :owner",
)


async def upsert_server(connection: Connection, owner: UUID, url: str) -> UUID:
    """The id of the owner's server at this URL, active; its row is locked."""
    sql = """
        INSERT INTO mcpservers (id, server_url, creator_id, is_active)
        VALUES (:id, :url, :owner, true)
        ON CONFLICT (creator_id, server_url) DO UPDATE SET
            is_active = true,
            wants_authorization = false,
            lookup_failures = 0,
            next_lookup_at = NULL,
            updated_at = CASE WHEN mcpservers.is_active THEN mcpservers.updated_at ELSE now() END
        RETURNING id
    """
    id_ = await connection.fetch_val(sql, {"id": uuid4(), "url": url, "owner": owner})
    assert isinstance(id_, UUID)
    return id_


async def activate_servers(connection: Connection, target: Target) -> list[UUID]:
    """The ids of all servers of this target, whoever owns them; their rows are locked."""
    sql = """
        UPDATE mcpservers SET
            is_active = true,
            wants_authorization = false,
            lookup_failures = 0,
            next_lookup_at = NULL,
            updated_at = CASE WHEN is_active THEN updated_at ELSE now() END
        WHERE server_url = :url AND (id = :row
              OR CAST(:row AS uuid) IS NULL AND headers IS NULL AND oauth IS NULL)
        RETURNING id
    """
    rows = await connection.fetch_all(sql, {"url": target.url, "row": target.row})
    return [row["id"] for row in rows]


async def count_failure(
    connection: Connection, target: Target, most: int, pauses: Sequence[float]
) -> None:
    """Count a failed look-up of all servers of this target; `most` in a row end their activity.

    The next one is due after a pause, in seconds: the first of them after one failure, the last
    after as many as there are pauses, or more. It may be one of another version then.
    """
    sql = """
        UPDATE mcpservers SET
            lookup_failures = failures,
            next_lookup_at = now() + make_interval(secs => pause),
            protocol_version = NULL,
            lookup_digest = NULL,
            is_active = is_active AND failures < :most,
            updated_at = CASE WHEN is_active AND failures >= :most THEN now() ELSE updated_at END
        FROM unnest(CAST(:pauses AS float8[])) WITH ORDINALITY AS paused (pause, failures)
        WHERE server_url = :url AND (id = :row
              OR CAST(:row AS uuid) IS NULL AND headers IS NULL AND oauth IS NULL)
          AND failures = least(lookup_failures + 1, cardinality(CAST(:pauses AS float8[])))
    """
    values = {"url": target.url, "row": target.row, "most": most, "pauses": list(pauses)}
    await connection.execute(sql, values)


async def select_due(connection: Connection) -> Iterator[Due]:
    """Every server that is to be looked up again, with the protocol's version that it spoke."""
    sql = """
        SELECT server_url, row, creator_id, protocol_version,
               CASE WHEN is_same THEN lookup_digest END
        FROM (
            SELECT *, bool_and(is_settled AND whole_lookup_at > now()) OVER target
                   AND min(lookup_digest) OVER target = max(lookup_digest) OVER target AS is_same
            FROM mcpservers, LATERAL (SELECT
                CASE WHEN headers IS NOT NULL OR oauth IS NOT NULL THEN id END AS row,
                is_active AND NOT wants_authorization AND lookup_failures = 0
                    AND lookup_digest IS NOT NULL AS is_settled
            ) AS judged
            WINDOW target AS (PARTITION BY server_url, row)
        ) AS known
        WHERE (next_lookup_at IS NULL OR next_lookup_at <= now()) AND creator_id IS NOT NULL
    """
    rows = await connection.fetch_all(sql)
    return (
        Due(Target(url, row), owner, version, digest) for url, row, owner, version, digest in rows
    )


async def select_sent(connection: Connection, vault: Vault, id_: UUID) -> dict[str, str]:
    """What a server is sent, whoever owns it. Raises UndecryptableError."""
    sql = "SELECT headers, oauth FROM mcpservers WHERE id = :id"
    row = await connection.fetch_one(sql, {"id": id_})
    return open_sent(vault, id_, row["headers"], row["oauth"]) if row else {}


async def select_stored(connection: Connection, owner: UUID, url: str) -> StoredSent | None:
    """What is stored of what the owner's server at this URL is sent."""
    sql = """
        SELECT id, headers, oauth FROM mcpservers WHERE creator_id = :owner AND server_url = :url
    """
    row = await connection.fetch_one(sql, {"owner": owner, "url": url})
    return StoredSent(**columns(row)) if row else None


async def select_url(connection: Connection, owner: UUID, id_: UUID) -> str | None:
    """Where one of the owner's servers is."""
    sql = "SELECT server_url FROM mcpservers WHERE creator_id = :owner AND id = :id"
    url: str | None = await connection.fetch_val(sql, {"owner": owner, "id": id_})
    return url


async def update_headers(
    connection: Connection,
    vault: Vault,
    owner: UUID,
    id_: UUID,
    headers: Values,
    *,
    ends_grant: bool = False,
) -> None:
    """Store what one of the owner's servers is sent from now on, in place of a token of a grant."""
    sql = """
        UPDATE mcpservers SET
            headers = CAST(:headers AS json),
            oauth = CASE WHEN NOT :ends_grant THEN oauth END,
            oauth_due_at = CASE WHEN NOT :ends_grant THEN oauth_due_at END,
            oauth_claimed_at = CASE WHEN NOT :ends_grant THEN oauth_claimed_at END,
            updated_at = now()
        WHERE creator_id = :owner AND id = :id
    """
    sealed = seal_headers(vault, TABLE, id_, headers)
    values = {"owner": owner, "id": id_, "headers": sealed, "ends_grant": ends_grant}
    await connection.execute(sql, values)


async def update_wanting(connection: Connection, id_: UUID) -> None:
    """Note that a server is not used before its owner has logged in there."""
    sql = """
        UPDATE mcpservers SET is_active = false, wants_authorization = true, updated_at = now()
        WHERE id = :id
    """
    await connection.execute(sql, {"id": id_})


async def note_refusal(connection: Connection, target: Target) -> None:
    """Have tokens that are refused renewed now; without any, its owner has to log in or give one.

    What is being renewed stays with who renews it.
    """
    sql = """
        UPDATE mcpservers SET
            oauth_due_at = CASE WHEN oauth IS NOT NULL AND NOT wants_authorization THEN now() END,
            wants_authorization = wants_authorization OR headers IS NULL AND oauth IS NULL
        WHERE server_url = :url AND (id = :row
              OR CAST(:row AS uuid) IS NULL AND headers IS NULL AND oauth IS NULL)
    """
    await connection.execute(sql, {"url": target.url, "row": target.row})


async def delete_server(connection: Connection, owner: UUID, id_: UUID) -> bool:
    """Delete one of the owner's servers with its tools; whether there was one."""
    sql = "DELETE FROM mcpservers WHERE creator_id = :owner AND id = :id RETURNING id"
    return await connection.fetch_val(sql, {"owner": owner, "id": id_}) is not None
