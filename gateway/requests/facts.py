"""The statement about one request and what is before it."""

from datetime import datetime
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from shared.postgres.pool import columns


@frozen
class Facts:
    """What PostgreSQL knows; times in seconds where they are no datetimes."""

    username: str
    session_id: UUID
    status: str
    created_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    deadline: datetime
    bridge_id: UUID | None
    is_late: bool
    """Whether its deadline is over."""
    is_lost: bool
    """Whether the bridge that has it did not say in time that it still does."""
    waited: float
    since_sent: float
    seconds_left: float
    asked_id: UUID | None
    agent_alias: str | None
    """Of the agent that is asked itself."""
    agent_is_active: bool | None
    before_id: UUID | None
    """The request of its chat that is before it."""
    before_status: str | None
    user_running: int
    user_before: int
    """Those of its user that wait, and were asked before it."""
    all_running: int
    all_queued: int
    last_log_at: datetime | None


async def select_facts(
    connection: Connection, request_id: UUID, owner: UUID | None = None
) -> Facts | None:
    """All that bears on one request, of this owner where one is named; None: there is none."""
    sql = """
        WITH open AS (
            SELECT count(*) FILTER (WHERE status = 'running') AS running,
                   count(*) FILTER (WHERE status = 'queued') AS queued
            FROM requests WHERE status IN ('queued', 'running')
        )
        SELECT username, this.session_id, this.status, this.created_at, this.sent_at,
               this.ended_at, this.deadline, this.bridge_id,
               this.deadline <= now() AS is_late,
               coalesce(this.lease_until < now(), false) AS is_lost,
               extract(epoch FROM now() - this.created_at)::float8 AS waited,
               coalesce(extract(epoch FROM now() - this.sent_at), 0)::float8 AS since_sent,
               extract(epoch FROM this.deadline - now())::float8 AS seconds_left,
               this.asked_id, agents.alias AS agent_alias, agents.is_active AS agent_is_active,
               before.id AS before_id, before.status AS before_status,
               of_user.running AS user_running, of_user.before AS user_before,
               open.running AS all_running, open.queued AS all_queued,
               (SELECT max(created_at) FROM logs WHERE request_id = this.id) AS last_log_at
        FROM requests AS this
        JOIN users ON users.id = this.creator_id
        CROSS JOIN open
        LEFT JOIN agents ON agents.id = this.asked_id
        LEFT JOIN LATERAL (
            SELECT id, status FROM requests
            WHERE session_id = this.session_id AND this.status = 'queued'
              AND (status = 'running' OR status = 'queued' AND position < this.position)
            ORDER BY position LIMIT 1
        ) AS before ON true
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE status = 'running') AS running,
                   count(*) FILTER (
                       WHERE status = 'queued' AND position < this.position
                   ) AS before
            FROM requests
            WHERE creator_id = this.creator_id AND status IN ('queued', 'running')
        ) AS of_user
        WHERE this.id = :id AND (CAST(:owner AS uuid) IS NULL OR this.creator_id = :owner)
    """
    row = await connection.fetch_one(sql, {"id": request_id, "owner": owner})
    return Facts(**columns(row)) if row else None
