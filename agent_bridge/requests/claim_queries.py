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
