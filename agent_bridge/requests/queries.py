"""The bridge's statements: requests and their endings, configs, callable agents."""

from collections.abc import Sequence
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from attrs import field, frozen
from databases.core import Connection

from agent_bridge.requests.master import CallableAgent, Form
from shared.domain.agents import callable_schema, described
from shared.domain.endings import OpenRequest
from shared.postgres.pool import columns

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
    seconds_left: float
    """Until its deadline, when it was claimed."""
    waited: float
    """Seconds since it was accepted, when it was claimed."""
    traceparent: str | None
    has_flows: bool
    """Whether its owner had any agent flow, when it was claimed."""
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
class Marked:
    """What a request is sent with; it may be sent only if the claim `is_held`."""

    is_held: bool
    config: ChosenConfig
    agents: list[CallableAgent]
    """The owner's connected agents, under their aliases."""
    form: Form | None
    """The form that the master agent answered last."""
    timestamp: int
    """When it was marked: POSIX seconds, by the database's clock."""


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
                      file_ids, deadline, position, requests.created_at, traceparent
        )
        SELECT claimed.id, claim_id, session_id, creator_id, content AS message, config_name,
               provider_name, file_ids, traceparent, EXISTS (
                   SELECT FROM agentworkflows WHERE agentworkflows.creator_id = claimed.creator_id
               ) AS has_flows,
               extract(epoch FROM clock_timestamp() - claimed.created_at)::float8 AS waited,
               extract(epoch FROM deadline - clock_timestamp())::float8 AS seconds_left
        FROM claimed JOIN chatmessages
          ON chatmessages.request_id = claimed.id AND sender_type = 'user'
         AND conversation_id = session_id
        ORDER BY position
    """
    values = {"bridge_id": bridge_id, "lease": LEASE, "limit": limit}
    return [ClaimedRequest(**columns(row)) for row in await connection.fetch_all(sql, values)]


async def renew_leases(connection: Connection, claim_ids: list[UUID]) -> set[UUID]:
    """Say that these claims are still worked on; returns those that still hold.

    Requests are locked in order, as by whoever ends some.
    """
    sql = """
        WITH held AS (
            SELECT id FROM requests WHERE claim_id = ANY(:claim_ids) AND status = 'running'
            ORDER BY id FOR UPDATE
        )
        UPDATE requests SET lease_until = clock_timestamp() + CAST(:lease AS interval)
        FROM held WHERE requests.id = held.id
        RETURNING claim_id
    """
    rows = await connection.fetch_all(sql, {"lease": LEASE, "claim_ids": claim_ids})
    return {row["claim_id"] for row in rows}


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


async def mark_sent(
    connection: Connection, requests: Sequence[ClaimedRequest]
) -> list[Marked | None]:
    """Note that the master agent is about to be invoked, and read what it is to get.

    None: the owner has no such config; without a name the newest is taken. One statement for both:
    between the claim and the sending there is only this. Requests are locked in order, as by
    whoever ends some.
    """
    sql = """
        WITH claimed AS (
            SELECT * FROM unnest(
                CAST(:claim_ids AS uuid[]), CAST(:owners AS uuid[]),
                CAST(:configs AS text[]), CAST(:providers AS text[])
            ) AS claimed (claim_id, owner, config_name, provider_name)
        ), config AS (
            SELECT claim_id, owner, chosen.*
            FROM claimed CROSS JOIN LATERAL (
                SELECT provider.id AS provider_id, provider.name AS provider, provider.api_key,
                       provider.provider_metadata, config.credentials, config.name AS config_name,
                       config.model, config.temperature, config.system_prompt, config.user_prompt,
                       config.max_last_messages
                FROM modelconfigs AS config
                JOIN modelproviders AS provider ON provider.id = config.provider_id
                WHERE config.creator_id = owner AND provider.creator_id = owner
                  AND (claimed.config_name IS NULL OR config.name = claimed.config_name)
                  AND (claimed.provider_name IS NULL OR provider.name = claimed.provider_name)
                ORDER BY config.created_at DESC, config.id LIMIT 1
            ) AS chosen
        ), held AS (
            SELECT id, config.claim_id, config.provider_id
            FROM requests JOIN config USING (claim_id)
            WHERE status = 'running' AND lease_until > clock_timestamp()
            ORDER BY id FOR UPDATE OF requests
        ), marked AS (
            UPDATE requests SET sent_at = now(), provider_id = held.provider_id
            FROM held WHERE requests.id = held.id
            RETURNING requests.claim_id
        )
        SELECT config.*, marked.claim_id IS NOT NULL AS is_held, (
                   SELECT coalesce(json_agg(agents), '[]') FROM (
                       SELECT id, alias, description, input_parameters FROM agents
                       WHERE creator_id = owner AND is_active
                       ORDER BY created_at DESC, id LIMIT :limit
                   ) AS agents
               ) AS agents,
               (SELECT master_form FROM router_session) AS form,
               extract(epoch FROM now())::bigint AS timestamp
        FROM config LEFT JOIN marked USING (claim_id)
    """
    values = {
        "claim_ids": [each.claim_id for each in requests],
        "owners": [each.creator_id for each in requests],
        "configs": [each.config_name for each in requests],
        "providers": [each.provider_name for each in requests],
        "limit": AGENTS_LIMIT,
    }
    rows = await connection.fetch_all(sql, values)
    marked = {row["claim_id"]: _marked(**columns(row)) for row in rows}
    return [marked.get(each.claim_id) for each in requests]


def _marked(
    claim_id: UUID,
    owner: UUID,
    is_held: bool,
    agents: list[dict[str, Any]],
    form: Form | None,
    timestamp: int,
    **config: Any,
) -> Marked:
    callables = [*map(_callable, agents)]
    return Marked(is_held, ChosenConfig(**config), callables, form, timestamp)


def _callable(agent: dict[str, Any]) -> CallableAgent:
    alias, description = agent["alias"], described(agent["description"])
    return CallableAgent(
        agent_id=UUID(agent["id"]),
        agent_name=alias,
        agent_description=description,
        agent_schema=callable_schema(agent["input_parameters"], alias, description),
    )


async def update_form(connection: Connection, form: Form) -> None:
    """Remember the form that the master agent answered, for all bridges."""
    sql = """
        INSERT INTO router_session (master_form) VALUES (:form)
        ON CONFLICT (id) DO UPDATE SET master_form = :form
    """
    await connection.execute(sql, {"form": form})


async def select_has_provider(connection: Connection, owner: UUID, name: str) -> bool:
    """Whether the owner has a provider of this name."""
    sql = """
        SELECT EXISTS (
            SELECT FROM modelproviders WHERE creator_id = :owner AND name = :name
        )
    """
    return bool(await connection.fetch_val(sql, {"owner": owner, "name": name}))
