"""Agents of all users, and where they are connected."""

from datetime import datetime
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.admin.work.finding import find_any
from gateway.admin.work.listing import Listed, Part, select_listed


@frozen(slots=False)
class ListedAgent:
    """An agent among others; `via` is "door", "router", or None where it is not connected."""

    agent_id: UUID
    alias: str
    username: str
    is_connected: bool
    via: str | None
    bridge_id: UUID | None
    connected_at: datetime | None
    updated_at: datetime


async def select_agents(
    connection: Connection, user: str | None, *, only_connected: bool, part: Part
) -> Listed[ListedAgent]:
    """Agents, or those of a user, those that changed last first. Raises NotFoundError."""
    sql = """
        SELECT agents.id AS agent_id, alias, username, is_active AS is_connected,
               CASE WHEN is_active AND alive_until > now() THEN 'door'
                    WHEN is_active THEN 'router' END AS via,
               bridge_id, connected_at, agents.updated_at
        FROM agents
        JOIN users ON users.id = creator_id
        LEFT JOIN door_connections ON agent_id = agents.id
        LEFT JOIN doors USING (bridge_id)
        WHERE (CAST(:owner AS uuid) IS NULL OR creator_id = :owner)
          AND (is_active OR NOT CAST(:only_connected AS boolean))
        ORDER BY agents.updated_at DESC, agents.id LIMIT :limit OFFSET :offset
    """
    values = {"owner": await find_any(connection, user), "only_connected": only_connected}
    return await select_listed(connection, ListedAgent, sql, values, part)
