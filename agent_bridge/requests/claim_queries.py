"""The bridge's statements about claims: which requests are its own, and for how long."""

from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from attrs import field, frozen
from databases.core import Connection

from agent_bridge.requests.marked import Asked, Marked

LEASE = timedelta(seconds=15)
ANY_NUMBER = 1_000_000  # of requests that a user has running


@frozen
class ClaimedRequest:
    """A request that this bridge has claimed; whatever is done to it compares the claim."""

    id: UUID
    claim_id: UUID
    session_id: UUID
    creator_id: UUID
    message: str = field(repr=False)
    config_name: str | None
    provider_name: str | None
    file_ids: list[UUID]
    seconds_left: float
    """Until its deadline, when it was claimed."""
    waited: float
    """Seconds since it was accepted, when it was claimed."""
    traceparent: str | None
    message_id: UUID | None
    has_flows: bool
    """Whether its owner might use any agent flow, when it was claimed."""
    overrides: dict[str, Any] | None
    """What stands in place of values of the config."""
    asked_id: UUID | None
    """The agent or flow that is asked itself; None: the master agent is."""
    has_arguments: bool = False
    """Whether the message is JSON: what the agent that is asked itself is called with."""
    marked: Marked | Asked | None = None
    """What it is sent with, where it was marked as sent when it was claimed."""
    claimed_at: float = field(factory=monotonic)
    """By the clock of this process."""

    @property
    def remaining(self) -> float:
        """Seconds until its deadline, now."""
        return self.seconds_left - (monotonic() - self.claimed_at)


async def lock_turns(
    connection: Connection, limit: int, most_running: int = ANY_NUMBER
) -> list[UUID]:
    """Requests whose turn it is, in turn among users and one of a session at a time.

    First comes whose user has least running then, and of those the oldest; none whose user has
    more than `most_running`. Users who wait are found one after the other in an index: how much
    others have waiting costs nothing. What another bridge is about to claim is left to it:
    so twice as many are looked at. Each is locked by its id: an index of all that wait names many
    that do no more, until it is vacuumed. So it is not asked for its status, but for what those
    that wait have none of.
    """
    sql = """
        WITH RECURSIVE waiting AS (
            (
                SELECT creator_id FROM requests WHERE status = 'queued'
                ORDER BY creator_id LIMIT 1
            )
            UNION ALL
            SELECT (
                SELECT next.creator_id FROM requests AS next
                WHERE next.status = 'queued' AND next.creator_id > waiting.creator_id
                ORDER BY next.creator_id LIMIT 1
            )
            FROM waiting WHERE waiting.creator_id IS NOT NULL
        ), head AS (
            SELECT id, position,
                   running.count + row_number() OVER (PARTITION BY creator_id ORDER BY position)
                   AS turn
            FROM waiting
            CROSS JOIN LATERAL (
                SELECT count(*) FROM requests AS running
                WHERE running.status = 'running' AND running.creator_id = waiting.creator_id
            ) AS running
            CROSS JOIN LATERAL (
                SELECT id, position FROM (
                    SELECT id, position, session_id, deadline,
                           row_number() OVER (PARTITION BY session_id ORDER BY position) AS place
                    FROM requests
                    WHERE status = 'queued' AND creator_id = waiting.creator_id
                ) AS own
                WHERE place = 1 AND deadline > now() AND NOT EXISTS (
                    SELECT FROM requests AS running
                    WHERE running.status = 'running' AND running.creator_id = waiting.creator_id
                      AND running.session_id = own.session_id
                )
                ORDER BY position LIMIT 2 * CAST(:limit AS int)
            ) AS first
        )
        SELECT locked.id FROM (
            SELECT id FROM head WHERE turn <= CAST(:most_running AS int) + 1
            ORDER BY turn, position
        ) AS next CROSS JOIN LATERAL (
            SELECT id FROM requests WHERE id = next.id AND claim_id IS NULL AND seq IS NULL
            FOR UPDATE SKIP LOCKED
        ) AS locked
        LIMIT :limit
    """
    values = {"limit": limit, "most_running": most_running}
    return [row["id"] for row in await connection.fetch_all(sql, values)]


async def renew_leases(connection: Connection, claim_ids: list[UUID]) -> set[UUID]:
    """Say that these claims are still worked on; returns those that still hold.

    Requests are locked by their sessions, as by whoever ends some.
    """
    sql = """
        WITH held AS (
            SELECT id FROM requests WHERE claim_id = ANY(:claim_ids) AND status = 'running'
            ORDER BY session_id, id FOR UPDATE
        )
        UPDATE requests SET lease_until = clock_timestamp() + CAST(:lease AS interval)
        FROM held WHERE requests.id = held.id
        RETURNING claim_id
    """
    rows = await connection.fetch_all(sql, {"lease": LEASE, "claim_ids": claim_ids})
    return {row["claim_id"] for row in rows}


async def release_request(
    connection: Connection, claim_id: UUID | None, *, is_unsent: bool = False
) -> bool:
    """Give back a request for another bridge to take; False: it was sent, or has ended.

    Whether it was sent the mark tells, but to who knows that it was not: `is_unsent`.
    """
    sql = """
        UPDATE requests
        SET status = 'queued', bridge_id = NULL, claim_id = NULL, lease_until = NULL,
            claimed_at = NULL, sent_at = NULL, provider_id = NULL
        WHERE claim_id = :claim_id AND status = 'running'
          AND (sent_at IS NULL OR CAST(:is_unsent AS boolean))
        RETURNING id
    """
    values = {"claim_id": claim_id, "is_unsent": is_unsent}
    return await connection.fetch_one(sql, values) is not None
