"""MCP servers and their tools in PostgreSQL."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import attrs
from databases.core import Connection
from databases.interfaces import Record

from gateway.mcp.schemas import Server, Tool
from gateway.mcp.tools import FoundTool
from gateway.web.paging import Page, Slice, select_page
from gateway.web.quotas import Quota
from shared.codec.converter import unstructure
from shared.codec.text import read_json
from shared.domain.agents import make_tool_alias
from shared.postgres.pool import columns
from shared.postgres.rows import builder

SERVERS = Quota(
    "MCP servers",
    lambda settings: settings.mcp_servers_per_user,
    "SELECT count(*) FROM mcpservers WHERE creator_id = :owner",
)


async def upsert_server(connection: Connection, owner: UUID, url: str) -> UUID:
    """The id of the owner's server at this URL, active; its row is locked."""
    sql = """
        INSERT INTO mcpservers (id, server_url, creator_id, is_active)
        VALUES (:id, :url, :owner, true)
        ON CONFLICT (creator_id, server_url) DO UPDATE SET
            is_active = true,
            lookup_failures = 0,
            next_lookup_at = NULL,
            updated_at = CASE WHEN mcpservers.is_active THEN mcpservers.updated_at ELSE now() END
        RETURNING id
    """
    id_ = await connection.fetch_val(sql, {"id": uuid4(), "url": url, "owner": owner})
    assert isinstance(id_, UUID)
    return id_


async def activate_servers(connection: Connection, url: str) -> list[UUID]:
    """The ids of all servers at this URL, whoever owns them; their rows are locked."""
    sql = """
        UPDATE mcpservers SET
            is_active = true,
            lookup_failures = 0,
            next_lookup_at = NULL,
            updated_at = CASE WHEN is_active THEN updated_at ELSE now() END
        WHERE server_url = :url
        RETURNING id
    """
    return [row["id"] for row in await connection.fetch_all(sql, {"url": url})]


async def count_failure(
    connection: Connection, url: str, most: int, pauses: Sequence[float]
) -> None:
    """Count a failed look-up of all servers at this URL; `most` in a row end their activity.

    The next one is due after a pause, in seconds: the first of them after one failure, the last
    after as many as there are pauses, or more.
    """
    sql = """
        UPDATE mcpservers SET
            lookup_failures = failures,
            next_lookup_at = now() + make_interval(secs => pause),
            is_active = is_active AND failures < :most,
            updated_at = CASE WHEN is_active AND failures >= :most THEN now() ELSE updated_at END
        FROM unnest(CAST(:pauses AS float8[])) WITH ORDINALITY AS paused (pause, failures)
        WHERE server_url = :url
          AND failures = least(lookup_failures + 1, cardinality(CAST(:pauses AS float8[])))
    """
    await connection.execute(sql, {"url": url, "most": most, "pauses": list(pauses)})


async def update_tools(
    connection: Connection, server_ids: list[UUID], tools: list[FoundTool]
) -> None:
    """Give locked servers exactly these tools; one that stays keeps its id and alias."""
    sql = """
        WITH found AS (
            SELECT * FROM json_to_recordset(CAST(:tools AS json)) AS tool
                (name text, description text, "inputSchema" json, annotations json, alias text,
                 place integer)
        ), gone AS (
            DELETE FROM mcptools
            WHERE mcp_server_id = ANY(:server_ids) AND name NOT IN (SELECT name FROM found)
        ), changed AS (
            UPDATE mcptools SET
                description = found.description,
                "inputSchema" = found."inputSchema",
                annotations = found.annotations,
                updated_at = now()
            FROM found
            WHERE mcp_server_id = ANY(:server_ids) AND mcptools.name = found.name
              AND (mcptools.description, CAST(mcptools."inputSchema" AS jsonb),
                   CAST(mcptools.annotations AS jsonb))
                  IS DISTINCT FROM
                  (found.description, CAST(found."inputSchema" AS jsonb),
                   CAST(found.annotations AS jsonb))
        )
        INSERT INTO mcptools
            (id, name, description, "inputSchema", annotations, alias, mcp_server_id)
        SELECT (CAST(:ids AS uuid[]))[row_number() OVER (ORDER BY place)],
               name, description, "inputSchema", annotations, alias, server_id
        FROM found CROSS JOIN unnest(CAST(:server_ids AS uuid[])) AS server_id
        WHERE NOT EXISTS (
            SELECT FROM mcptools
            WHERE mcptools.mcp_server_id = server_id AND mcptools.name = found.name
        )
    """
    rows = [
        {**unstructure(tool), "alias": make_tool_alias(tool.name), "place": place}
        for place, tool in enumerate(tools)
    ]
    # Ascending ids keep the order that the server lists its tools in.
    ids = sorted(uuid4() for _ in range(len(tools) * len(server_ids)))
    await connection.execute(sql, {"server_ids": server_ids, "tools": rows, "ids": ids})


async def select_due(connection: Connection) -> list[tuple[str, UUID]]:
    """The URL and the owner of every server that is to be looked up again."""
    sql = """
        SELECT server_url, creator_id FROM mcpservers
        WHERE (next_lookup_at IS NULL OR next_lookup_at <= now()) AND creator_id IS NOT NULL
    """
    rows = await connection.fetch_all(sql)
    return [(row["server_url"], row["creator_id"]) for row in rows]


async def select_servers(connection: Connection, owner: UUID, part: Slice) -> Page[Server]:
    """The owner's servers with their tools, oldest first."""
    sql = """
        SELECT id, name, description, server_url, is_active, created_at, updated_at, creator_id,
               (SELECT sum(300 + coalesce(octet_length(mcptools.description), 0)
                       + octet_length(CAST("inputSchema" AS text))
                       + coalesce(octet_length(CAST(annotations AS text)), 0))
                FROM mcptools WHERE mcp_server_id = mcpservers.id) AS bytes
        FROM mcpservers WHERE creator_id = :owner
        ORDER BY created_at, id LIMIT :limit OFFSET :offset
    """
    tools: dict[UUID, list[Record]] = {}

    def make(row: Record) -> Server:
        found = {name: row[name] for name in _SERVER}
        return Server(**found, mcp_tools=[*map(_listed_tool, tools.pop(row["id"], []))])

    page = await select_page(connection, sql, {"owner": owner}, part, make)
    for row in await _select_tools(connection, [row["id"] for row in page.rows]):
        tools.setdefault(row["mcp_server_id"], []).append(row)
    return page


async def select_server(connection: Connection, owner: UUID, id_: UUID) -> Server | None:
    """One of the owner's servers."""
    sql = """
        SELECT id, name, description, server_url, is_active, created_at, updated_at, creator_id
        FROM mcpservers WHERE creator_id = :owner AND id = :id
    """
    row = await connection.fetch_one(sql, {"owner": owner, "id": id_})
    if row is None:
        return None
    tools = await _select_tools(connection, [id_])
    return Server(**columns(row), mcp_tools=[*map(_tool, tools)])


async def delete_server(connection: Connection, owner: UUID, id_: UUID) -> bool:
    """Delete one of the owner's servers with its tools; whether there was one."""
    sql = "DELETE FROM mcpservers WHERE creator_id = :owner AND id = :id RETURNING id"
    return await connection.fetch_val(sql, {"owner": owner, "id": id_}) is not None


async def _select_tools(connection: Connection, server_ids: list[UUID]) -> list[Record]:
    sql = """
        SELECT id, name, description, CAST("inputSchema" AS text) AS "inputSchema",
               CAST(annotations AS text) AS annotations, alias, mcp_server_id,
               created_at, updated_at
        FROM mcptools WHERE mcp_server_id = ANY(:server_ids)
        ORDER BY created_at, id
    """
    return await connection.fetch_all(sql, {"server_ids": server_ids})


_SERVER = [name for name in attrs.fields_dict(Server) if name != "mcp_tools"]
_listed_tool = builder(Tool, "inputSchema", "annotations")


def _tool(row: Record) -> Tool:
    annotations = row["annotations"]
    read = {
        "inputSchema": read_json(row["inputSchema"]),
        "annotations": None if annotations is None else read_json(annotations),
    }
    return Tool(**{**columns(row), **read})
