"""The statements about who is connected: only the word of the latest leader's term counts.

And of those alone who are connected to the router itself: a door knows better who came through it.

An agent whose registration was refused is doubtful: somebody else may have its place, so that it is
connected does not make it active until a good registration was heard.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from shared.postgres.pool import columns
from shared.tokens import stored_forms

LOCKED_SECONDS = 60.0  # since a user was locked out, in which his agents are looked for


@frozen
class KnownAgent:
    """An agent, whether it is taken for connected, and whether it has registered before."""

    id: UUID
    is_active: bool
    is_verified: bool


async def select_known_agents(connection: Connection, limit: int) -> list[KnownAgent]:
    """Agents of all users: those taken for connected, then those that were or changed lately.

    None that is doubtful: of those the router has nothing to say that counts.
    """
    sql = """
        SELECT id, is_active, is_verified IS TRUE AS is_verified FROM agents
        WHERE is_verified IS NOT FALSE
          AND NOT EXISTS (SELECT FROM door_connections WHERE agent_id = agents.id)
        ORDER BY is_active DESC, updated_at DESC, id LIMIT :limit
    """
    return [KnownAgent(**columns(row)) for row in await connection.fetch_all(sql, {"limit": limit})]


async def select_is_active(connection: Connection, agent_id: UUID) -> bool | None:
    """Whether an agent is taken for connected; None: it does not exist."""
    sql = "SELECT is_active FROM agents WHERE id = :id"
    is_active: bool | None = await connection.fetch_val(sql, {"id": agent_id})
    return is_active


async def activate_agent(
    connection: Connection,
    term: UUID,
    agent_id: UUID,
    owner: UUID,
    token: str,
    name: str,
    alias: str,
    description: str,
    input_parameters: dict[str, Any],
) -> bool:
    """Store what an agent says of itself; False: this owner has none whose token this is.

    What `select_is_current` asks is asked here, so that no token that ends meanwhile activates.
    An empty name or description leaves the stored one. The alias stays while the name stays.
    """
    sql = """
        WITH current AS (
            SELECT FROM router_session WHERE term = :term FOR SHARE
        ), updated AS (
            UPDATE agents SET
                alias = CASE WHEN :name IN ('', name) THEN alias ELSE :alias END,
                name = CASE WHEN :name = '' THEN name ELSE :name END,
                description = CASE WHEN :description = '' THEN description ELSE :description END,
                input_parameters = :input_parameters,
                is_active = true,
                is_verified = true,
                updated_at = now()
            WHERE id = :id AND creator_id = :owner AND jwt = ANY(:token_forms)
              AND EXISTS (SELECT FROM current)
              AND EXISTS (SELECT FROM users WHERE users.id = creator_id AND locked_at IS NULL)
            RETURNING id
        )
        SELECT EXISTS (SELECT FROM updated) OR NOT EXISTS (SELECT FROM current)
    """
    values = {
        "term": term,
        "id": agent_id,
        "owner": owner,
        "token_forms": stored_forms(token),
        "name": name,
        "alias": alias,
        "description": description,
        "input_parameters": input_parameters,
    }
    return bool(await connection.fetch_val(sql, values))


async def deactivate_agent(connection: Connection, term: UUID, agent_id: UUID) -> None:
    """Note that an agent is no longer connected."""
    sql = """
        WITH current AS (SELECT FROM router_session WHERE term = :term FOR SHARE)
        UPDATE agents SET is_active = false, updated_at = now()
        WHERE id = :id AND is_active AND EXISTS (SELECT FROM current)
          AND NOT EXISTS (SELECT FROM door_connections WHERE agent_id = :id)
    """
    await connection.execute(sql, {"term": term, "id": agent_id})


async def doubt_agent(connection: Connection, term: UUID, agent_id: UUID) -> None:
    """Note that somebody registered as this agent and was refused."""
    sql = """
        WITH current AS (SELECT FROM router_session WHERE term = :term FOR SHARE)
        UPDATE agents SET is_active = false, is_verified = false,
            updated_at = CASE WHEN agents.is_active THEN now() ELSE agents.updated_at END
        WHERE id = :id AND (is_active OR is_verified IS NOT FALSE) AND EXISTS (SELECT FROM current)
          AND NOT EXISTS (SELECT FROM door_connections WHERE agent_id = :id)
    """
    await connection.execute(sql, {"term": term, "id": agent_id})


async def doubt_agents_of_locked(connection: Connection) -> list[UUID]:
    """Note of users who were just locked out that their agents at the router are to register anew.

    Returns which were taken for connected.
    """
    sql = """
        UPDATE agents SET is_active = false, is_verified = false,
            updated_at = CASE WHEN agents.is_active THEN now() ELSE agents.updated_at END
        FROM revocations JOIN users USING (id)
        WHERE revocations.at > now() - CAST(:seconds AS double precision) * interval '1 second'
          AND locked_at IS NOT NULL AND agents.creator_id = users.id AND agents.is_active
          AND NOT EXISTS (SELECT FROM door_connections WHERE agent_id = agents.id)
        RETURNING agents.id
    """
    rows = await connection.fetch_all(sql, {"seconds": LOCKED_SECONDS})
    return [row["id"] for row in rows]


async def deactivate_all_agents(connection: Connection, term: UUID) -> None:
    """Note that no agent is connected."""
    sql = """
        WITH current AS (SELECT FROM router_session WHERE term = :term FOR SHARE)
        UPDATE agents SET is_active = false, updated_at = now()
        WHERE is_active AND EXISTS (SELECT FROM current)
          AND NOT EXISTS (SELECT FROM door_connections WHERE agent_id = agents.id)
    """
    await connection.execute(sql, {"term": term})


async def update_presence(
    connection: Connection, term: UUID, present: Collection[UUID], absent: Collection[UUID]
) -> int:
    """Note who is connected and who is not; returns how many were taken for the opposite.

    Those that are doubtful stay inactive.
    """
    sql = """
        WITH current AS (
            SELECT FROM router_session WHERE term = :term FOR SHARE
        ), updated AS (
            UPDATE agents SET is_active = NOT is_active
            WHERE (id = ANY(:present) AND NOT is_active AND is_verified IS NOT FALSE
                   OR id = ANY(:absent) AND is_active)
              AND EXISTS (SELECT FROM current)
              AND NOT EXISTS (SELECT FROM door_connections WHERE agent_id = agents.id)
            RETURNING id
        )
        SELECT count(*) FROM updated
    """
    values = {"term": term, "present": list(present), "absent": list(absent)}
    return int(await connection.fetch_val(sql, values))
