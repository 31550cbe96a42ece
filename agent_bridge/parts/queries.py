"""Whose parts may be told, and which bridge tells them."""

from uuid import UUID

from attrs import frozen
from databases.core import Connection

from shared.postgres.pool import columns


@frozen
class Author:
    """An agent that says something."""

    owner: UUID
    stands: bool
    """Whether it is who it says, as far as is known of one that says it through the router."""


async def select_authors(connection: Connection, agent_ids: list[UUID]) -> dict[UUID, Author]:
    """Those of these agents that exist."""
    sql = """
        SELECT agents.id, creator_id AS owner,
               is_active AND is_verified AND door.agent_id IS NULL AS stands
        FROM agents LEFT JOIN door_connections AS door ON door.agent_id = agents.id
        WHERE agents.id = ANY(CAST(:ids AS uuid[]))
    """
    rows = map(columns, await connection.fetch_all(sql, {"ids": agent_ids}))
    return {row.pop("id"): Author(**row) for row in rows}


async def select_places(connection: Connection, request_ids: list[UUID]) -> dict[UUID, UUID]:
    """Which bridge runs each of these requests; of none that does not run."""
    sql = """
        SELECT id, bridge_id FROM requests
        WHERE id = ANY(CAST(:ids AS uuid[])) AND status = 'running'
    """
    rows = await connection.fetch_all(sql, {"ids": request_ids})
    return {row["id"]: row["bridge_id"] for row in rows}
