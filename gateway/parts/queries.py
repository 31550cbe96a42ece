"""What PostgreSQL knows of the parts: who leads, which doors there are, what waits."""

from databases.core import Connection

from gateway.parts.schemas import Door, Leader, Queue
from gateway.web.paging import Page, Slice, select_page
from shared.postgres.pool import columns
from shared.postgres.rows import builder


async def select_leader(connection: Connection) -> Leader | None:
    """Who had the lease of the router session last; None: nobody, or it was given back."""
    sql = """
        SELECT expires_at > clock_timestamp()
                   AND (session IS NULL OR session IN (SELECT pid FROM pg_stat_activity))
                   AS is_held, holder, expires_at
        FROM leases WHERE name = 'router_session'
    """
    row = await connection.fetch_one(sql)
    return Leader(**columns(row)) if row else None


async def select_doors(connection: Connection, part: Slice) -> Page[Door]:
    """The doors that there are; one that is not open was not renewed, and will be forgotten."""
    sql = """
        SELECT bridge_id, alive_until > now() AS is_open, alive_until,
               count(agent_id) AS agents,
               count(identity) > count(agent_id) AS has_master_agent, 256 AS bytes
        FROM doors LEFT JOIN door_connections USING (bridge_id)
        GROUP BY bridge_id, alive_until ORDER BY bridge_id LIMIT :limit OFFSET :offset
    """
    return await select_page(connection, sql, {}, part, builder(Door))


async def select_queue(connection: Connection) -> Queue:
    """What is open."""
    sql = """
        WITH at_bridges AS (
            SELECT bridge_id, count(*) AS running
            FROM requests WHERE status = 'running' AND bridge_id IS NOT NULL GROUP BY bridge_id
        )
        SELECT count(*) FILTER (WHERE status = 'queued') AS waiting,
               count(*) FILTER (WHERE status = 'running') AS running,
               count(DISTINCT creator_id) FILTER (WHERE status = 'queued') AS users_waiting,
               coalesce(extract(epoch FROM now() - min(created_at)
                   FILTER (WHERE status = 'queued')), 0)::float8 AS oldest_seconds,
               (SELECT coalesce(json_object_agg(bridge_id, running), '{}') FROM at_bridges)
                   AS running_at
        FROM requests WHERE status IN ('queued', 'running')
    """
    row = await connection.fetch_one(sql)
    assert row is not None, "it has no GROUP BY"
    return Queue(**columns(row))
