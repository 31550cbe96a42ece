"""Agent flows: several members that are called as one, in their order.

A flow is active while all its members are: that is asked each time, and stored nowhere.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, Literal
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from shared.codec.text import read_json, write_json
from shared.domain.agents import TASK_SCHEMA, callable_schema, tool_schema
from shared.postgres.rows import build

FLOWS_LIMIT = 500  # that a master agent is told of, as of agents
FLOWS_BYTES_LIMIT = 1024 * 1024  # of their lists of members; a flow has up to 75 KB
ASKED_MEMBERS_LIMIT = 100  # of a flow that is asked itself

MEMBERS = """
    member AS MATERIALIZED (
        SELECT flow.id AS flow_id, creator_id, member.id, member.type
        FROM flow CROSS JOIN LATERAL json_to_recordset(members) AS member (id uuid, type text)
    )
"""
"""The members of all rows of `flow` in a statement."""

# The same, where it is told in which order a flow has them.
LISTED_MEMBERS = """
    listed AS MATERIALIZED (
        SELECT flow.*, flow.id AS flow_id, member_ids, member_types
        FROM flow CROSS JOIN LATERAL (
            SELECT array_agg(id) AS member_ids, array_agg(type) AS member_types
            FROM json_to_recordset(members) AS member (id uuid, type text)
        ) AS member
    ), member AS (
        SELECT flow_id, creator_id, member.id, member.type
        FROM listed CROSS JOIN LATERAL unnest(member_ids, member_types) AS member (id, type)
    )
"""

# Asked for the ids by a SELECT, the planner keeps one plan for any.
ACTIVE_FLOWS = """
    asked AS MATERIALIZED (
        SELECT CAST(ARRAY(SELECT DISTINCT creator_id FROM flow) AS uuid[]) AS owners,
               CAST(ARRAY(SELECT id FROM member) AS uuid[]) AS ids
    ), active AS (
        SELECT creator_id, id, 'genai' AS type FROM agents
        WHERE is_active AND creator_id = ANY(CAST((SELECT owners FROM asked) AS uuid[]))
          AND id = ANY(CAST((SELECT ids FROM asked) AS uuid[]))
        UNION ALL
        SELECT creator_id, mcptools.id, 'mcp'
        FROM mcptools JOIN mcpservers ON mcpservers.id = mcp_server_id
        WHERE is_active AND creator_id = ANY(CAST((SELECT owners FROM asked) AS uuid[]))
          AND mcptools.id = ANY(CAST((SELECT ids FROM asked) AS uuid[]))
        UNION ALL
        SELECT creator_id, id, 'a2a' FROM a2acards
        WHERE is_active AND creator_id = ANY(CAST((SELECT owners FROM asked) AS uuid[]))
          AND id = ANY(CAST((SELECT ids FROM asked) AS uuid[]))
    ), active_flow AS MATERIALIZED (
        SELECT flow_id FROM member LEFT JOIN active USING (creator_id, id, type)
        GROUP BY flow_id HAVING bool_and(active.id IS NOT NULL)
    )
"""
"""Which of these flows are active: each `member` is looked for at once.

Of each flow these are its own creator's, whoever asks.
"""

TASK_TEXT = write_json(TASK_SCHEMA).decode()

type Schema = dict[str, Any]
type MemberType = Literal["genai", "mcp", "a2a"]
type Member = tuple[UUID, MemberType]
"""An agent, a tool of an MCP server or an A2A agent."""


@frozen(slots=False)
class ActiveFlow:
    """A flow that can be called. Its schema is text: as objects many would take much memory."""

    id: UUID
    alias: str
    description: str
    member_ids: list[UUID]
    """In the order of their calls."""
    first_type: str
    first_schema: str
    """As its first member has it stored; empty for an A2A agent, which has none."""

    @property
    def schema(self) -> Schema:
        """That of its first member under the flow's own name."""
        return flow_schema(self.alias, self.description, self.first_type, self.first_schema)


@cache
def active_flows(columns: str) -> str:
    """A statement for columns of the active flows that `owner` may use, oldest first.

    With those that others share with him if he is asked for `with_shared`. Of more than `limit`
    flows, or `most_bytes`, the newest.
    """
    return f"""
        WITH newest AS (
            SELECT id, alias, description, flow AS members, created_at, updated_at, creator_id,
                   sum(octet_length(CAST(flow AS text))) OVER (
                       ORDER BY created_at DESC, id ROWS UNBOUNDED PRECEDING
                   ) AS bytes
            FROM (
                SELECT * FROM agentworkflows WHERE creator_id = :owner
                UNION ALL
                SELECT * FROM usable_flows(:owner)
                WHERE creator_id <> :owner AND CAST(:with_shared AS boolean)
            ) AS flows
            ORDER BY created_at DESC, id LIMIT :limit
        ), flow AS MATERIALIZED (
            SELECT * FROM newest WHERE bytes <= :most_bytes
        ), {LISTED_MEMBERS}, {ACTIVE_FLOWS}, told AS MATERIALIZED (
            SELECT id, alias, description, member_ids, created_at, updated_at,
                   CASE WHEN creator_id <> :owner THEN (
                       SELECT username FROM users WHERE users.id = creator_id
                   ) END AS owner,
                   CASE WHEN creator_id <> :owner THEN true END AS shared,
                   member_types[1] AS first_type,
                   coalesce(CASE member_types[1]
                       WHEN 'genai' THEN (
                           SELECT CAST(input_parameters AS text)
                           FROM agents WHERE agents.id = member_ids[1]
                       )
                       WHEN 'mcp' THEN (
                           SELECT CAST(coalesce(flattened, "inputSchema") AS text)
                           FROM mcptools WHERE mcptools.id = member_ids[1]
                       )
                   END, '') AS first_schema
            FROM active_flow JOIN listed USING (flow_id)
        )
        SELECT {columns} FROM told ORDER BY told.created_at, told.id DESC
    """  # noqa: S608 (statements of ours)


def active_flows_of(owner: UUID, *, with_shared: bool) -> dict[str, Any]:
    """What that statement takes."""
    bounds = {"limit": FLOWS_LIMIT, "most_bytes": FLOWS_BYTES_LIMIT}
    return {"owner": owner, "with_shared": with_shared, **bounds}


async def select_active_flows(connection: Connection, owner: UUID) -> list[ActiveFlow]:
    """The user's flows whose members are all active, and those that others share with him."""
    sql = active_flows("id, alias, description, member_ids, first_type, first_schema")
    rows = await connection.fetch_all(sql, active_flows_of(owner, with_shared=True))
    return build(ActiveFlow, rows)


async def select_active_members(
    connection: Connection, owner: UUID, ids: Iterable[UUID]
) -> set[Member]:
    """Those of the ids that stand for something active of this owner's."""
    # By a SELECT, too: to plan anew for each list of ids would take longer than to find their rows.
    sql = """
        WITH asked AS (SELECT CAST(:ids AS uuid[]) AS ids)
        SELECT id, 'genai' AS type FROM agents
        WHERE is_active AND creator_id = :owner
          AND id = ANY(CAST((SELECT ids FROM asked) AS uuid[]))
        UNION ALL
        SELECT mcptools.id, 'mcp'
        FROM mcptools JOIN mcpservers ON mcpservers.id = mcp_server_id
        WHERE is_active AND creator_id = :owner
          AND mcptools.id = ANY(CAST((SELECT ids FROM asked) AS uuid[]))
        UNION ALL
        SELECT id, 'a2a' FROM a2acards
        WHERE is_active AND creator_id = :owner
          AND id = ANY(CAST((SELECT ids FROM asked) AS uuid[]))
    """
    rows = await connection.fetch_all(sql, {"owner": owner, "ids": [*ids]})
    return {(id_, type_) for id_, type_ in rows}


def flow_schema(name: str, description: str, first_type: str, first_schema: str) -> Schema:
    """The schema of a flow by that of its first member, as it is stored."""
    first: Schema = read_json(first_schema or TASK_TEXT)
    if first_type != "genai":
        return tool_schema(name, description, first)
    schema = callable_schema(first, name, description)
    return {**schema, "function": {**schema["function"], "description": description}}
