"""How many requests wait and run, of whom, and for how long."""

from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.admin.work.listing import Listed, Part, select_listed
from shared.postgres.pool import columns


@frozen(slots=False)
class Queue:
    """All open requests; the oldest is of those that wait, in seconds."""

    waiting: int
    running: int
    users_waiting: int
    oldest_seconds: float
    running_at: dict[str, int]
    """By bridge."""


@frozen(slots=False)
class UserQueue:
    """Those of a user."""

    user_id: UUID
    username: str
    waiting: int
    running: int
    oldest_seconds: float


async def select_queue(connection: Connection) -> Queue:
    """What is open."""
    sql = """
        WITH at_bridges AS (
            SELECT bridge_id, count(*) AS running
            FROM requests WHERE status = 'running' GROUP BY bridge_id
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


async def select_user_queues(connection: Connection, part: Part) -> Listed[UserQueue]:
    """What is open by user, who waits longest first."""
    sql = """
        SELECT creator_id AS user_id, username,
               count(*) FILTER (WHERE status = 'queued') AS waiting,
               count(*) FILTER (WHERE status = 'running') AS running,
               coalesce(extract(epoch FROM now() - min(requests.created_at)
                   FILTER (WHERE status = 'queued')), 0)::float8 AS oldest_seconds
        FROM requests JOIN users ON users.id = creator_id
        WHERE status IN ('queued', 'running')
        GROUP BY creator_id, username
        ORDER BY oldest_seconds DESC, waiting DESC, creator_id LIMIT :limit OFFSET :offset
    """
    return await select_listed(connection, UserQueue, sql, {}, part)
