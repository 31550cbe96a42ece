"""The bridge's statements: requests and their endings, configs, callable agents."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from agent_bridge.requests.claim_queries import ClaimedRequest
from agent_bridge.requests.marked import ChosenConfig, Marked, callable_agent
from agent_bridge.requests.master import Form
from shared.domain.endings import OpenRequest
from shared.postgres.pool import columns

AGENTS_LIMIT = 500  # newest agents that a master agent is told of


@frozen
class Backlog:
    """How many requests wait and run, and how long the oldest of those that wait does."""

    queued: float
    running: float
    oldest_seconds: float


@frozen
class Overdue(OpenRequest):
    """A request whose bridge is gone or whose time is over."""

    was_sent: bool
    is_late: bool


async def select_overdue(connection: Connection) -> list[Overdue]:
    """Requests whose lease or deadline is over."""
    sql = """
        SELECT id, claim_id, status, sent_at IS NOT NULL AS was_sent,
               deadline <= now() AS is_late
        FROM requests
        WHERE ended_at IS NULL AND (
            status = 'running' AND lease_until < now() OR status = 'queued' AND deadline <= now()
        )
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

    None: the owner has no such config.
    One statement for both: between the claim and the sending there is only this. Requests are
    locked in order, as by whoever ends some.
    """
    sql = """
        WITH claimed AS (
            SELECT * FROM unnest(
                CAST(:claim_ids AS uuid[]), CAST(:owners AS uuid[]),
                CAST(:configs AS text[]), CAST(:providers AS text[])
            ) AS claimed (claim_id, owner, config_name, provider_name)
        ), config AS (
            SELECT claim_id, owner, chosen.* FROM claimed
            CROSS JOIN LATERAL chosen_config(owner, config_name, provider_name) AS chosen
        ), held AS (
            SELECT id, config.claim_id, config.provider_id
            FROM requests JOIN config USING (claim_id)
            WHERE status = 'running' AND lease_until > clock_timestamp()
            ORDER BY session_id, id FOR UPDATE OF requests
        ), marked AS (
            UPDATE requests SET sent_at = now(), provider_id = held.provider_id
            FROM held WHERE requests.id = held.id
            RETURNING requests.claim_id
        )
        SELECT config.*, marked.claim_id IS NOT NULL AS is_held, (
                   SELECT coalesce(json_agg(agents), '[]') FROM (
                       SELECT id, alias, description, input_parameters
                       FROM usable_agents(owner) WHERE is_active
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
    callables = [*map(callable_agent, agents)]
    return Marked(is_held, ChosenConfig(**config), callables, form, timestamp)


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
