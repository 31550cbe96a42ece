"""Whose parts may be told, and which bridge tells them."""

from uuid import UUID

from attrs import frozen
from databases.core import Connection


@frozen
class Author:
    """An agent that says something."""

    owner: UUID
    stands: bool
    """Whether it is who it says, as far as is known of one that says it through the router."""
    others: frozenset[UUID] = frozenset()
    """Whom its owner lets use it, by itself or in a flow."""

    def works_for(self, user: UUID) -> bool:
        """Whether a request of this user's may be what it works on."""
        return user == self.owner or user in self.others


async def select_authors(connection: Connection, agent_ids: list[UUID]) -> dict[UUID, Author]:
    """Those of these agents that exist."""
    sql = """
        SELECT agents.id, creator_id AS owner, array(
                   SELECT DISTINCT user_id FROM shares JOIN group_members USING (group_id)
                   WHERE owner_id = creator_id AND group_members.role <> 'invited'
                     AND (agent_id = agents.id OR EXISTS (
                         SELECT FROM agentworkflows AS flow
                         CROSS JOIN LATERAL json_array_elements(flow.flow) AS member
                         WHERE flow.id = flow_id AND member ->> 'id' = CAST(agents.id AS text)
                     ))
               ) AS others,
               is_active AND is_verified AND door.agent_id IS NULL AS stands
        FROM agents LEFT JOIN door_connections AS door ON door.agent_id = agents.id
        WHERE agents.id = ANY(CAST(:ids AS uuid[]))
    """
    rows = await connection.fetch_all(sql, {"ids": agent_ids})
    return {id_: Author(owner, stands, frozenset(others)) for id_, owner, others, stands in rows}


async def select_places(connection: Connection, request_ids: list[UUID]) -> dict[UUID, UUID]:
    """Which bridge runs each of these requests; of none that does not run."""
    sql = """
        SELECT id, bridge_id FROM requests
        WHERE id = ANY(CAST(:ids AS uuid[])) AND status = 'running'
    """
    rows = await connection.fetch_all(sql, {"ids": request_ids})
    return {row["id"]: row["bridge_id"] for row in rows}
