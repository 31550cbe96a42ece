"""The statements about the leader's term."""

from uuid import UUID

from databases.core import Connection

from shared.postgres.leases import Lease


async def select_term(connection: Connection) -> UUID | None:
    """The latest leader's term; None also where the row is gone."""
    term: UUID | None = await connection.fetch_val("SELECT term FROM router_session")
    return term


async def begin_term(connection: Connection, term: UUID, lease: Lease) -> bool:
    """Begin a leader's term, whether the row is there or not; False: its lease is over."""
    sql = """
        INSERT INTO router_session (term)
        SELECT CAST(:term AS uuid) FROM leases
        WHERE name = :name AND holder = :holder AND expires_at > clock_timestamp()
        ON CONFLICT (id) DO UPDATE SET term = excluded.term
        RETURNING true
    """
    values = {"term": term, "name": lease.name, "holder": lease.holder}
    return bool(await connection.fetch_val(sql, values))
