"""Log-ins that have begun, and what they have given, in PostgreSQL."""

from datetime import datetime
from uuid import UUID

from attrs import field, frozen
from databases.core import Connection

from shared.postgres.pool import columns

FLOWS_LIMIT = 20  # of a user that have begun
SWEPT_LIMIT = 100  # of all that are over, at each beginning


@frozen
class StoredServer:
    """An MCP server that somebody is to log in at."""

    server_url: str
    oauth: str | None = field(repr=False)


@frozen
class StoredFlow:
    """A log-in that has begun, and whose it is."""

    server_id: UUID
    owner: UUID
    username: str
    flow: str = field(repr=False)


@frozen
class ClaimedGrant:
    """A grant that this gateway alone renews."""

    id: UUID
    owner: UUID
    server_url: str
    oauth: str = field(repr=False)
    claimed_at: datetime


async def select_server(connection: Connection, owner: UUID, id_: UUID) -> StoredServer | None:
    """One of the owner's servers."""
    sql = "SELECT server_url, oauth FROM mcpservers WHERE creator_id = :owner AND id = :id"
    row = await connection.fetch_one(sql, {"owner": owner, "id": id_})
    return StoredServer(**columns(row)) if row else None


async def delete_old_flows(connection: Connection, owner: UUID) -> None:
    """Forget log-ins that are over, and those of the owner's for which there is no room."""
    sql = """
        DELETE FROM mcp_authorizations WHERE id IN (
            SELECT id FROM mcp_authorizations WHERE expires_at <= now()
            LIMIT :swept FOR UPDATE SKIP LOCKED
        ) OR id IN (
            SELECT id FROM mcp_authorizations WHERE creator_id = :owner
            ORDER BY expires_at DESC, id OFFSET :most
        )
    """
    values = {"owner": owner, "swept": SWEPT_LIMIT, "most": FLOWS_LIMIT - 1}
    await connection.execute(sql, values)


async def insert_flow(
    connection: Connection, id_: UUID, owner: UUID, server_id: UUID, flow: str, seconds: float
) -> datetime | None:
    """Until when somebody may come back; None: the owner has no such server any more."""
    sql = """
        INSERT INTO mcp_authorizations (id, server_id, creator_id, flow, expires_at)
        SELECT :id, id, creator_id, :flow, now() + make_interval(secs => :seconds)
        FROM mcpservers WHERE creator_id = :owner AND id = :server_id
        RETURNING timezone('utc', expires_at)
    """
    values = {
        "id": id_,
        "owner": owner,
        "server_id": server_id,
        "flow": flow,
        "seconds": seconds,
    }
    until: datetime | None = await connection.fetch_val(sql, values)
    return until


async def select_flow(connection: Connection, id_: UUID) -> StoredFlow | None:
    """A log-in that is not over."""
    sql = """
        SELECT server_id, creator_id AS owner, username, flow
        FROM mcp_authorizations JOIN users ON users.id = creator_id
        WHERE mcp_authorizations.id = :id AND expires_at > now()
    """
    row = await connection.fetch_one(sql, {"id": id_})
    return StoredFlow(**columns(row)) if row else None


async def take_flow(connection: Connection, id_: UUID) -> StoredFlow | None:
    """The same, which is over by that: nobody else gets it."""
    sql = """
        DELETE FROM mcp_authorizations USING users
        WHERE mcp_authorizations.id = :id AND users.id = creator_id AND expires_at > now()
        RETURNING server_id, creator_id AS owner, username, flow
    """
    row = await connection.fetch_one(sql, {"id": id_})
    return StoredFlow(**columns(row)) if row else None


async def update_grant(
    connection: Connection, owner: UUID, id_: UUID, url: str, oauth: str, renew_in: float | None
) -> bool:
    """Give the owner's server at this URL a grant, in place of an `Authorization` of its own.

    Whether there is such a server.
    """
    sql = """
        UPDATE mcpservers SET
            oauth = :oauth,
            oauth_due_at = now() + make_interval(secs => :renew_in),
            oauth_claimed_at = NULL,
            wants_authorization = false,
            headers = (
                SELECT json_object_agg(key, value) FROM json_each(headers)
                WHERE lower(key) <> 'authorization'
            ),
            next_lookup_at = NULL,
            updated_at = now()
        WHERE creator_id = :owner AND id = :id AND server_url = :url
        RETURNING id
    """
    values = {"owner": owner, "id": id_, "url": url, "oauth": oauth, "renew_in": renew_in}
    return await connection.fetch_val(sql, values) is not None


async def select_due(connection: Connection, most: int) -> list[tuple[UUID, UUID]]:
    """Some servers whose grant is to be renewed, the longest due first, and their owners."""
    sql = """
        SELECT id, creator_id FROM mcpservers WHERE oauth_due_at <= now()
        ORDER BY oauth_due_at LIMIT :most
    """
    rows = await connection.fetch_all(sql, {"most": most})
    return [(row["id"], row["creator_id"]) for row in rows]


async def claim_grant(connection: Connection, id_: UUID, seconds: float) -> ClaimedGrant | None:
    """A grant that is due, for this gateway; None: it is not, or another has it for so long."""
    sql = """
        UPDATE mcpservers SET oauth_claimed_at = clock_timestamp()
        WHERE id = :id AND oauth IS NOT NULL AND oauth_due_at <= now()
          AND (oauth_claimed_at IS NULL
               OR oauth_claimed_at < clock_timestamp() - make_interval(secs => :seconds))
        RETURNING id, creator_id AS owner, server_url, oauth, oauth_claimed_at AS claimed_at
    """
    row = await connection.fetch_one(sql, {"id": id_, "seconds": seconds})
    return ClaimedGrant(**columns(row)) if row else None


async def update_renewed(
    connection: Connection, claimed: ClaimedGrant, oauth: str, renew_in: float | None
) -> None:
    """Store a grant that was renewed, unless it is not the one any more that was claimed."""
    sql = """
        UPDATE mcpservers SET
            oauth = :oauth,
            oauth_due_at = now() + make_interval(secs => :renew_in),
            oauth_claimed_at = NULL,
            next_lookup_at = CASE WHEN is_active THEN next_lookup_at END
        WHERE id = :id AND oauth_claimed_at = :claimed_at
    """
    values = {
        "id": claimed.id,
        "claimed_at": claimed.claimed_at,
        "oauth": oauth,
        "renew_in": renew_in,
    }
    await connection.execute(sql, values)


async def postpone_renewal(connection: Connection, claimed: ClaimedGrant, seconds: float) -> None:
    """Have a grant renewed later."""
    sql = """
        UPDATE mcpservers SET
            oauth_due_at = now() + make_interval(secs => :seconds), oauth_claimed_at = NULL
        WHERE id = :id AND oauth_claimed_at = :claimed_at
    """
    values = {"id": claimed.id, "claimed_at": claimed.claimed_at, "seconds": seconds}
    await connection.execute(sql, values)


async def end_grant(connection: Connection, claimed: ClaimedGrant, oauth: str | None) -> None:
    """Have the owner log in again; what stays is the registration, if anything."""
    sql = """
        UPDATE mcpservers SET
            oauth = :oauth, oauth_due_at = NULL, oauth_claimed_at = NULL,
            wants_authorization = true, updated_at = now()
        WHERE id = :id AND oauth_claimed_at = :claimed_at
    """
    values = {"id": claimed.id, "claimed_at": claimed.claimed_at, "oauth": oauth}
    await connection.execute(sql, values)
