"""Agent flows: several members that are called as one, in their order.

A flow is active while all its members are: that is asked each time, and stored nowhere.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from asyncpg.pgproto import pgproto
from attrs import frozen
from databases.core import Connection
from databases.interfaces import Record
from msgspec import UNSET

from shared.codec.text import read_json, write_json
from shared.domain.agents import TASK_SCHEMA, ActiveConnection, callable_schema, tool_schema
from shared.postgres.rows import build

FLOWS_LIMIT = 500  # that a master agent is told of, as of agents
FLOWS_BYTES_LIMIT = 1024 * 1024  # of their lists of members; a flow has up to 75 KB
ASKED_MEMBERS_LIMIT = 100  # of a flow that is asked itself
MEMBER_BYTES = 39  # its id as JSON, and a comma

STORED = (
    *("id", "name", "alias", "description", "members", "created_at", "updated_at"),
    *("creator_id", "shared_by"),
)
TASK_TEXT = write_json(TASK_SCHEMA).decode()

type Schema = dict[str, Any]
type MemberType = Literal["genai", "mcp", "a2a"]
type Member = tuple[UUID, MemberType]
"""An agent, a tool of an MCP server or an A2A agent: a tuple is hashed and compared in C."""
type ActiveMembers = dict[UUID, dict[Member, str | None]]
"""What is active of each of some users, with its schema as JSON text where that was asked for."""


@frozen(slots=False)
class Flow:
    """A stored flow; active, that is to be called, while all its members are.

    `first_schema` is that of its first member as JSON text, while it is active and for who asked
    for schemas: as objects those of many flows would take much memory.
    """

    id: UUID
    name: str
    alias: str
    description: str
    members: list[Member]
    created_at: datetime
    updated_at: datetime
    creator_id: UUID
    shared_by: str | None
    """The name of its owner, where that is not who asked."""
    is_active: bool
    first_schema: str | None

    @property
    def schema(self) -> Schema:
        """The schema of an active flow: that of its first member under the flow's own name."""
        assert self.first_schema is not None
        _, type_ = self.members[0]
        first: Schema = read_json(self.first_schema)
        if type_ != "genai":
            return tool_schema(self.alias, self.description, first)
        schema = callable_schema(first, self.alias, self.description)
        return {**schema, "function": {**schema["function"], "description": self.description}}

    @property
    def size(self) -> int:
        """About how many bytes are told of it."""
        return len(self.first_schema or "") + MEMBER_BYTES * len(self.members)

    @property
    def member_ids(self) -> list[UUID]:
        """The members, in the order of their calls."""
        return [id_ for id_, _ in self.members]


async def select_flow(connection: Connection, owner: UUID, id_: UUID) -> Flow | None:
    """One of the owner's flows, or of those that others share with him."""
    sql = """
        SELECT id, name, alias, description, flow AS members, created_at, updated_at, creator_id,
               CASE WHEN creator_id <> :owner
                   THEN (SELECT username FROM users WHERE users.id = creator_id) END AS shared_by
        FROM usable_flows(:owner) WHERE id = :id
    """
    rows = await connection.fetch_all(sql, {"owner": owner, "id": id_})
    return next(iter(await find_members(connection, rows)), None)


async def select_active_flows(
    connection: Connection, owner: UUID, *, with_shared: bool = True
) -> list[Flow]:
    """The owner's flows whose members are all active, oldest first, with their schemas.

    And those that others share with him. Of more than FLOWS_LIMIT flows, or FLOWS_BYTES_LIMIT, the
    newest.
    """
    sql = """
        WITH newest AS (
            SELECT id, name, alias, description, flow AS members, created_at, updated_at,
                   creator_id,
                   sum(octet_length(CAST(flow AS text))) OVER (ORDER BY created_at DESC, id)
                       AS bytes
            FROM usable_flows(:owner)
            WHERE creator_id = :owner OR CAST(:with_shared AS boolean)
            ORDER BY created_at DESC, id LIMIT :limit
        )
        SELECT id, name, alias, description, members, created_at, updated_at, creator_id,
               CASE WHEN creator_id <> :owner
                   THEN (SELECT username FROM users WHERE users.id = creator_id) END AS shared_by
        FROM newest WHERE bytes <= :most_bytes
        ORDER BY created_at, id DESC
    """
    values = {
        "owner": owner,
        "with_shared": with_shared,
        "limit": FLOWS_LIMIT,
        "most_bytes": FLOWS_BYTES_LIMIT,
    }
    rows = await connection.fetch_all(sql, values)
    flows = await find_members(connection, rows, described=True)
    return [flow for flow in flows if flow.is_active]


async def select_active_members(
    connection: Connection,
    owners: Iterable[UUID],
    ids: Iterable[UUID],
    described: Iterable[UUID] = (),
) -> ActiveMembers:
    """Those of the ids that stand for something active of one of these owners, by owner.

    Only the described have their schemas, as JSON text: these are as large as all the rest.
    """
    # Asked for the ids by a SELECT, the planner keeps one plan for any; it would plan anew for each
    # list of them otherwise, which takes longer than to find their rows.
    sql = """
        WITH asked AS (
            SELECT CAST(:owners AS uuid[]) AS owners, CAST(:ids AS uuid[]) AS ids
        ), described AS (
            SELECT unnest(CAST(:described AS uuid[])) AS id
        )
        SELECT creator_id, id, 'genai' AS type,
               CASE WHEN id IN (SELECT id FROM described)
                   THEN CAST(input_parameters AS text) END AS schema
        FROM agents
        WHERE is_active AND creator_id = ANY(CAST((SELECT owners FROM asked) AS uuid[]))
          AND id = ANY(CAST((SELECT ids FROM asked) AS uuid[]))
        UNION ALL
        SELECT creator_id, mcptools.id, 'mcp',
               CASE WHEN mcptools.id IN (SELECT id FROM described)
                   THEN CAST(coalesce(flattened, "inputSchema") AS text) END
        FROM mcptools JOIN mcpservers ON mcpservers.id = mcp_server_id
        WHERE is_active AND creator_id = ANY(CAST((SELECT owners FROM asked) AS uuid[]))
          AND mcptools.id = ANY(CAST((SELECT ids FROM asked) AS uuid[]))
        UNION ALL
        SELECT creator_id, id, 'a2a', NULL FROM a2acards
        WHERE is_active AND creator_id = ANY(CAST((SELECT owners FROM asked) AS uuid[]))
          AND id = ANY(CAST((SELECT ids FROM asked) AS uuid[]))
    """
    owners = {*owners}
    values = {"owners": [*owners], "ids": [*ids], "described": [*described]}
    found: ActiveMembers = {owner: {} for owner in owners}
    for owner, id_, type_, schema in await connection.fetch_all(sql, values):
        found[owner][id_, type_] = TASK_TEXT if type_ == "a2a" else schema
    return found


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
        owner=flow.shared_by or UNSET,
        shared=flow.shared_by is not None or UNSET,
    )


async def find_members(
    connection: Connection, rows: Sequence[Record], *, described: bool = False
) -> list[Flow]:
    """The flows of these rows; one statement finds the members of all of them.

    Of each flow these are its own creator's, whoever asks.
    """
    # The class of asyncpg's own ids: read and written in a seventh of the standard one's time.
    parse = pgproto.UUID
    found = [{name: row[name] for name in STORED} for row in rows]
    for flow in found:
        flow["members"] = [(parse(each["id"]), each["type"]) for each in flow["members"]]
    ids = {id_ for flow in found for id_, _ in flow["members"]}
    first = {flow["members"][0][0] for flow in found if flow["members"]} if described else set()
    owners = {flow["creator_id"] for flow in found}
    all_active = await select_active_members(connection, owners, ids, first) if ids else {}
    for flow in found:
        members, active = flow["members"], all_active.get(flow["creator_id"], {})
        flow["is_active"] = bool(members) and active.keys() >= {*members}
        flow["first_schema"] = active[members[0]] if flow["is_active"] else None
    return build(Flow, found)
