"""Whose requests wait and run, and for how long."""

from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.admin.work.listing import Listed, Part, select_listed


@frozen(slots=False)
class UserQueue:
    """Those of a user."""

    user_id: UUID
    username: str
    waiting: int
    running: int
    oldest_seconds: float


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
