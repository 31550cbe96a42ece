"""What is shared with groups, in PostgreSQL; each statement says itself who may."""

from uuid import UUID, uuid4

import asyncpg
from databases.core import Connection
from databases.interfaces import Record

from gateway.groups.schemas import NewShare, Share
from gateway.web.paging import Page, Slice, select_page
from gateway.web.told import Told
from shared.postgres.rows import builder


class SharedAlreadyError(Exception):
    """It is shared with this group."""


async def count_shares(connection: Connection, group_id: UUID) -> int:
    """How many things are shared with a group."""
    sql = "SELECT count(*) FROM shares WHERE group_id = :group_id"
    return int(await connection.fetch_val(sql, {"group_id": group_id}))


async def insert_share(
    connection: Connection, owner: UUID, group_id: UUID, new: NewShare
) -> UUID | None:
    """Share something of a member's with his group; None: he has none such, or is no member.

    Raises SharedAlreadyError: the transaction has failed then.
    """
    sql = """
        INSERT INTO shares
            (id, group_id, owner_id, agent_id, flow_id, config_id, server_id, card_id)
        SELECT CAST(:id AS uuid), group_id, user_id,
               CASE WHEN CAST(:kind AS text) = 'agent' THEN target.id END,
               CASE WHEN :kind = 'flow' THEN target.id END,
               CASE WHEN :kind = 'config' THEN target.id END,
               CASE WHEN :kind = 'mcp_server' THEN target.id END,
               CASE WHEN :kind = 'a2a_agent' THEN target.id END
        FROM group_members CROSS JOIN (
            SELECT id FROM agents
            WHERE :kind = 'agent' AND creator_id = :owner AND id = :target_id
            UNION ALL
            SELECT id FROM agentworkflows
            WHERE :kind = 'flow' AND creator_id = :owner AND id = :target_id
            UNION ALL
            SELECT id FROM modelconfigs
            WHERE :kind = 'config' AND creator_id = :owner AND id = :target_id
            UNION ALL
            SELECT id FROM mcpservers
            WHERE :kind = 'mcp_server' AND creator_id = :owner AND id = :target_id
            UNION ALL
            SELECT id FROM a2acards
            WHERE :kind = 'a2a_agent' AND creator_id = :owner AND id = :target_id
        ) AS target
        WHERE group_id = :group_id AND user_id = :owner AND role <> 'invited'
        RETURNING id
    """
    values = {
        "id": uuid4(),
        "owner": owner,
        "group_id": group_id,
        "kind": new.kind,
        "target_id": new.id,
    }
    try:
        id_: UUID | None = await connection.fetch_val(sql, values)
    except asyncpg.UniqueViolationError:
        raise SharedAlreadyError from None
    return id_


async def select_share(connection: Connection, owner: UUID, id_: UUID) -> Share | None:
    """One that this user has made."""
    sql = """
        SELECT shares.id, group_id, groups.name AS "group",
               CASE WHEN agent_id IS NOT NULL THEN 'agent' WHEN flow_id IS NOT NULL THEN 'flow'
                    WHEN config_id IS NOT NULL THEN 'config'
                    WHEN server_id IS NOT NULL THEN 'mcp_server' ELSE 'a2a_agent' END AS kind,
               coalesce(agent_id, flow_id, config_id, server_id, card_id) AS target_id,
               coalesce(agents.name, agentworkflows.name, modelconfigs.name, mcpservers.name,
                        mcpservers.server_url, a2acards.name, '') AS name,
               username AS owner, shares.created_at
        FROM shares JOIN groups ON groups.id = group_id JOIN users ON users.id = owner_id
        LEFT JOIN agents ON agents.id = agent_id
        LEFT JOIN agentworkflows ON agentworkflows.id = flow_id
        LEFT JOIN modelconfigs ON modelconfigs.id = config_id
        LEFT JOIN mcpservers ON mcpservers.id = server_id
        LEFT JOIN a2acards ON a2acards.id = card_id
        WHERE shares.id = :id AND owner_id = :owner
    """
    row = await connection.fetch_one(sql, {"id": id_, "owner": owner})
    return _share(row) if row else None


async def select_shares(
    connection: Connection, user: UUID, group_id: UUID | None, part: Slice
) -> Page[Share]:
    """What is shared with a group that this user is in; of all groups, what others share."""
    sql = """
        SELECT shares.id, shares.group_id, groups.name AS "group",
               CASE WHEN agent_id IS NOT NULL THEN 'agent' WHEN flow_id IS NOT NULL THEN 'flow'
                    WHEN config_id IS NOT NULL THEN 'config'
                    WHEN server_id IS NOT NULL THEN 'mcp_server' ELSE 'a2a_agent' END AS kind,
               coalesce(agent_id, flow_id, config_id, server_id, card_id) AS target_id,
               coalesce(agents.name, agentworkflows.name, modelconfigs.name, mcpservers.name,
                        mcpservers.server_url, a2acards.name, '') AS name,
               username AS owner, shares.created_at, 1024 AS bytes
        FROM group_members JOIN shares USING (group_id)
        JOIN groups ON groups.id = shares.group_id JOIN users ON users.id = owner_id
        LEFT JOIN agents ON agents.id = agent_id
        LEFT JOIN agentworkflows ON agentworkflows.id = flow_id
        LEFT JOIN modelconfigs ON modelconfigs.id = config_id
        LEFT JOIN mcpservers ON mcpservers.id = server_id
        LEFT JOIN a2acards ON a2acards.id = card_id
        WHERE group_members.user_id = :user AND group_members.role <> 'invited'
          AND CASE WHEN CAST(:group_id AS uuid) IS NULL THEN owner_id <> :user
                   ELSE shares.group_id = :group_id END
        ORDER BY shares.created_at DESC, shares.id LIMIT :limit OFFSET :offset
    """
    values = {"user": user, "group_id": group_id}
    return await select_page(connection, sql, values, part, Told(Share))


async def delete_share(connection: Connection, owner: UUID, group_id: UUID, id_: UUID) -> bool:
    """Whether this user had shared such a thing with the group."""
    sql = """
        DELETE FROM shares WHERE owner_id = :owner AND group_id = :group_id AND id = :id
        RETURNING id
    """
    values = {"owner": owner, "group_id": group_id, "id": id_}
    return await connection.fetch_val(sql, values) is not None


_build = builder(Share)


def _share(row: Record) -> Share:
    return _build(row)
