"""The bridge's statements: requests and their endings, configs, callable agents."""

from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from attrs import field, frozen
from databases.core import Connection

from agent_bridge.master import CallableAgent
from shared.agents import name_function
from shared.database import columns
from shared.endings import OpenRequest

LEASE = timedelta(seconds=15)
AGENTS_LIMIT = 500  # newest agents that a master agent is told of


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
    deadline: datetime
    waited: float
    """Seconds since it was accepted, when it was claimed."""
    traceparent: str | None
    claimed_at: float = field(factory=monotonic)
    """By the clock of this process."""


@frozen
class Backlog:
    """How many requests wait and run, and how long the oldest of those that wait does."""

    queued: float
    running: float
    oldest_seconds: float


@frozen
class ChosenConfig:
    """A model config with its provider, as the master agent is to get them."""

    provider_id: UUID
    provider: str
    api_key: str | None = field(repr=False)
    provider_metadata: dict[str, Any] | None = field(repr=False)
    credentials: dict[str, Any] | None = field(repr=False)
    config_name: str
    model: str
    temperature: float
    system_prompt: str
    user_prompt: str | None
    max_last_messages: int


@frozen
class Overdue(OpenRequest):
    """A request whose bridge is gone or whose time is over."""

    was_sent: bool
    is_late: bool


async def claim_requests(
    connection: Connection, bridge_id: UUID, limit: int
) -> list[ClaimedRequest]:
    """Claim waiting requests, the oldest first and one of a session at a time.

    Raises asyncpg.UniqueViolationError when another bridge won a session in the same moment.
    """
    sql = """
        WITH head AS (
            SELECT id FROM requests AS head
            WHERE status = 'queued' AND deadline > now() AND NOT EXISTS (
                SELECT FROM requests AS before
                WHERE before.session_id = head.session_id
                  AND (before.status = 'running'
                       OR before.status = 'queued' AND before.position < head.position)
            )
            ORDER BY position LIMIT :limit
            FOR UPDATE SKIP LOCKED
        ), claimed AS (
            UPDATE requests
            SET status = 'running', bridge_id = :bridge_id, claim_id = gen_random_uuid(),
                lease_until = clock_timestamp() + CAST(:lease AS interval)
            FROM head WHERE requests.id = head.id
            RETURNING requests.id, claim_id, session_id, creator_id, config_name, provider_name,
                      file_ids, deadline, position, requests.created_at,
                      traceparent
        )
        SELECT claimed.id, claim_id, session_id, creator_id, content AS message, config_name,
               provider_name, file_ids, deadline, traceparent,
               extract(epoch FROM clock_timestamp() - claimed.created_at)::float8 AS waited
        FROM claimed JOIN chatmessages
          ON chatmessages.request_id = claimed.id AND sender_type = 'user'
         AND conversation_id = session_id
        ORDER BY position
    """
    values = {"bridge_id": bridge_id, "lease": LEASE, "limit": limit}
    return [ClaimedRequest(**columns(row)) for row in await connection.fetch_all(sql, values)]


async def renew_leases(connection: Connection, claim_ids: list[UUID]) -> set[UUID]:
    """Say that these claims are still worked on; returns those that still hold."""
    sql = """
        UPDATE requests SET lease_until = clock_timestamp() + CAST(:lease AS interval)
        WHERE claim_id = ANY(:claim_ids) AND status = 'running'
        RETURNING claim_id
    """
    rows = await connection.fetch_all(sql, {"lease": LEASE, "claim_ids": claim_ids})
    return {row["claim_id"] for row in rows}


async def mark_sent(connection: Connection, claim_id: UUID, provider_id: UUID) -> bool:
    """Note that the master agent is about to be invoked; False: the claim is lost."""
    sql = """
        UPDATE requests SET sent_at = now(), provider_id = :provider_id
        WHERE claim_id = :claim_id AND status = 'running' AND lease_until > clock_timestamp()
        RETURNING id
    """
    values = {"claim_id": claim_id, "provider_id": provider_id}
    return await connection.fetch_one(sql, values) is not None


async def release_request(connection: Connection, claim_id: UUID | None) -> bool:
    """Give back a request for another bridge to take; False: it was sent, or has ended."""
    sql = """
        UPDATE requests
        SET status = 'queued', bridge_id = NULL, claim_id = NULL, lease_until = NULL
        WHERE claim_id = :claim_id AND status = 'running' AND sent_at IS NULL
        RETURNING id
    """
    return await connection.fetch_one(sql, {"claim_id": claim_id}) is not None


async def select_overdue(connection: Connection) -> list[Overdue]:
    """Requests whose lease or deadline is over."""
    sql = """
        SELECT id, claim_id, status, sent_at IS NOT NULL AS was_sent,
               deadline <= now() AS is_late
        FROM requests
        WHERE status = 'running' AND lease_until < now()
           OR status = 'queued' AND deadline <= now()
        ORDER BY position LIMIT 100
    """
    return [Overdue(**columns(row)) for row in await connection.fetch_all(sql)]


async def select_backlog(connection: Connection) -> Backlog:
    """What has not ended, of all users."""
    sql = """
        SELECT count(*) FILTER (WHERE status = 'queued') AS queued,
               count(*) FILTER (WHERE status = 'running') AS running,
               coalesce(extract(epoch FROM now() - min(created_at)
                   FILTER (WHERE status = 'queued')), 0)::float8 AS oldest_seconds
        FROM requests WHERE status IN ('queued', 'running')
    """
    row = await connection.fetch_one(sql)
    assert row is not None
    return Backlog(**columns(row))


async def select_config(
    connection: Connection, owner: UUID, config_name: str | None, provider_name: str | None
) -> ChosenConfig | None:
    """The owner's config of this name, or the newest where none is named."""
    sql = """
        SELECT provider.id AS provider_id, provider.name AS provider, provider.api_key,
               provider.provider_metadata, config.credentials, config.name AS config_name,
               config.model, config.temperature, config.system_prompt, config.user_prompt,
               config.max_last_messages
        FROM modelconfigs AS config
        JOIN modelproviders AS provider ON provider.id = config.provider_id
        WHERE config.creator_id = :owner AND provider.creator_id = :owner
          AND (CAST(:config AS text) IS NULL OR config.name = :config)
          AND (CAST(:provider AS text) IS NULL OR provider.name = :provider)
        ORDER BY config.created_at DESC, config.id LIMIT 1
    """
    values = {"owner": owner, "config": config_name, "provider": provider_name}
    row = await connection.fetch_one(sql, values)
    return ChosenConfig(**columns(row)) if row else None


async def select_has_provider(connection: Connection, owner: UUID, name: str) -> bool:
    """Whether the owner has a provider of this name."""
    sql = """
        SELECT EXISTS (
            SELECT FROM modelproviders WHERE creator_id = :owner AND name = :name
        )
    """
    return bool(await connection.fetch_val(sql, {"owner": owner, "name": name}))


async def select_callable_agents(connection: Connection, owner: UUID) -> list[CallableAgent]:
    """The owner's connected agents, under their aliases."""
    sql = """
        SELECT id, alias, description, input_parameters FROM agents
        WHERE creator_id = :owner AND is_active AND name <> '' AND description <> ''
        ORDER BY created_at DESC, id LIMIT :limit
    """
    values = {"owner": owner, "limit": AGENTS_LIMIT}
    return [
        CallableAgent(
            agent_id=row["id"],
            agent_name=row["alias"],
            agent_description=row["description"],
            agent_schema=name_function(row["input_parameters"], row["alias"]),
        )
        for row in await connection.fetch_all(sql, values)
    ]
