"""Agent flows: several members that are called as one, in their order.

A flow is active while all its members are: that is asked each time, and stored nowhere.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from asyncpg.pgproto import pgproto
from attrs import frozen
from databases.core import Connection
from databases.interfaces import Record

from shared.agents import TASK_SCHEMA, ActiveConnection
from shared.database import columns

type Schema = dict[str, Any]


@frozen(slots=False)
class Member:
    """An agent, a tool of an MCP server or an A2A agent, in a flow."""

    id: UUID
    type: Literal["genai", "mcp", "a2a"]


@frozen
class Flow:
    """A stored flow; `schemas` are those of its members that are active."""

    id: UUID
    name: str
    alias: str
    description: str
    flow: list[Member]
    created_at: datetime
    updated_at: datetime
    schemas: dict[Member, Schema]

    @property
    def is_active(self) -> bool:
        """Whether it may be called: all its members may."""
        return all(member in self.schemas for member in self.flow)

    @property
    def schema(self) -> Schema:
        """The schema of an active flow: that of its first member under the flow's own name."""
        first = self.flow[0]
        schema, named = self.schemas[first], {"description": self.description}
        if first.type != "genai":
            required: Schema = {} if schema.get("properties") else {"required": []}
            return {**schema, **required, **named, "title": self.alias}
        function = schema.get("function")
        if not isinstance(function, dict):
            return schema
        return {**schema, "function": {**function, **named, "name": self.alias}}

    @property
    def member_ids(self) -> list[UUID]:
        """The members, in the order of their calls."""
        return [member.id for member in self.flow]


async def select_flows(
    connection: Connection, owner: UUID, limit: int | None = None, offset: int = 0
) -> list[Flow]:
    """The owner's flows, newest first; without a limit, all of them."""
    sql = """
        SELECT id, name, alias, description, flow, created_at, updated_at FROM agentworkflows
        WHERE creator_id = :owner
        ORDER BY created_at DESC, id LIMIT :limit OFFSET :offset
    """
    values = {"owner": owner, "limit": limit, "offset": offset}
    return await _with_members(connection, owner, await connection.fetch_all(sql, values))


async def select_flow(connection: Connection, owner: UUID, id_: UUID) -> Flow | None:
    """One of the owner's flows."""
    sql = """
        SELECT id, name, alias, description, flow, created_at, updated_at FROM agentworkflows
        WHERE creator_id = :owner AND id = :id
    """
    rows = await connection.fetch_all(sql, {"owner": owner, "id": id_})
    return next(iter(await _with_members(connection, owner, rows)), None)


async def select_active_flows(connection: Connection, owner: UUID) -> list[Flow]:
    """The owner's flows whose members are all active, oldest first."""
    return [flow for flow in reversed(await select_flows(connection, owner)) if flow.is_active]


async def select_active_members(
    connection: Connection, owner: UUID, ids: list[UUID]
) -> dict[Member, Schema]:
    """Those of the ids that stand for something active of the owner's, with their schemas."""
    sql = """
        SELECT id, 'genai' AS type, input_parameters AS schema FROM agents
        WHERE creator_id = :owner AND is_active AND id = ANY(CAST(:ids AS uuid[]))
        UNION ALL
        SELECT mcptools.id, 'mcp', "inputSchema"
        FROM mcptools JOIN mcpservers ON mcpservers.id = mcp_server_id
        WHERE creator_id = :owner AND is_active AND mcptools.id = ANY(CAST(:ids AS uuid[]))
        UNION ALL
        SELECT id, 'a2a', NULL FROM a2acards
        WHERE creator_id = :owner AND is_active AND id = ANY(CAST(:ids AS uuid[]))
    """
    rows = await connection.fetch_all(sql, {"owner": owner, "ids": ids})
    return {
        Member(row["id"], row["type"]): TASK_SCHEMA if row["type"] == "a2a" else row["schema"]
        for row in rows
    }


def flow_connection(flow: Flow) -> ActiveConnection:
    """An active flow as the master agent sees it in the list of what it may call."""
    return ActiveConnection(
        id=flow.id,
        name=flow.alias,
        type="flow",
        agent_schema=flow.schema,
        created_at=flow.created_at,
        updated_at=flow.updated_at,
        is_active=True,
        flow=flow.member_ids,
    )


async def _with_members(connection: Connection, owner: UUID, rows: list[Record]) -> list[Flow]:
    """The flows of these rows; one statement finds the members of all of them."""
    # The class of asyncpg's own ids: read and written in a seventh of the standard one's time.
    parse = pgproto.UUID
    members = [[Member(parse(each["id"]), each["type"]) for each in row["flow"]] for row in rows]
    ids = list({member.id for flow in members for member in flow})
    schemas = await select_active_members(connection, owner, ids) if ids else {}
    return [
        Flow(**{**columns(row), "flow": flow}, schemas=schemas)
        for row, flow in zip(rows, members, strict=True)
    ]
