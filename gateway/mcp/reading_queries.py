"""What users are told of MCP servers: their own, and those that others share with them."""

from typing import Any
from uuid import UUID

from databases.core import Connection

from gateway.mcp.schemas import LookedUpServer, Server, Tool
from gateway.web.paging import Page, Slice, select_one, select_page
from gateway.web.told import Told, left, written
from gateway.web.usable import listed
from shared.codec.text import read_json, write_json
from shared.domain.agents import IS_FUNCTION, NEEDS_FUNCTION_NAME, function_name, tool_schema


async def select_servers(
    connection: Connection, owner: UUID, part: Slice, *, shared: bool = False
) -> Page[Server]:
    """The owner's servers, or those that others share with him, with their tools, oldest first.

    What those of others are sent he is not told.
    """
    values = {"owner": owner, "shared": shared}
    sql = _statement(
        listed("servers", shared=shared), "(creator_id <> :owner) = CAST(:shared AS boolean)"
    )
    return await select_page(connection, sql, values, part, TOLD, joined=JOINED)


async def select_server(
    connection: Connection, owner: UUID, id_: UUID, *, with_shared: bool = False
) -> Server | None:
    """One of the owner's servers; or, to be read, of those that others share with him."""
    sql = _statement(
        "usable_server(:owner, :id)", "creator_id = :owner OR CAST(:with_shared AS boolean)"
    )
    values = {"owner": owner, "id": id_, "with_shared": with_shared}
    server: Server | None = await select_one(connection, sql, values, TOLD, joined=JOINED)
    return server


async def select_looked_up(connection: Connection, owner: UUID, id_: UUID) -> LookedUpServer:
    """The owner's server that was stored in this transaction."""
    tools = await _select_schemas(connection, id_)
    sql = _statement("usable_server(:owner, :id)", "creator_id = :owner")
    values = {"owner": owner, "id": id_}
    told = Told(LookedUpServer, mcp_tools=lambda _: tools)
    server: LookedUpServer | None = await select_one(connection, sql, values, told)
    assert server is not None
    return server


def _statement(usable: str, wanted: str) -> str:
    """Selects the servers that are wanted, of those that the owner may use."""
    return f"""
        WITH server AS MATERIALIZED (
            SELECT * FROM {usable} AS servers
            WHERE {wanted} ORDER BY created_at, id LIMIT :limit OFFSET :offset
        ), tool AS MATERIALIZED (
            SELECT mcp_server_id, sum(300 + coalesce(octet_length(mcptools.description), 0)
                       + octet_length(CAST("inputSchema" AS text))
                       + coalesce(octet_length(CAST(annotations AS text)), 0)) AS bytes
            FROM mcptools WHERE mcp_server_id = ANY(ARRAY(SELECT id FROM server))
            GROUP BY mcp_server_id
        )
        SELECT id, name, description, server_url, is_active, created_at, updated_at, creator_id,
               CASE WHEN creator_id <> :owner THEN NULL
                    WHEN wants_authorization THEN 'wanted'
                    WHEN oauth IS NOT NULL THEN 'given' END AS authorization,
               server_info, left_out,
               CASE WHEN creator_id = :owner AND headers IS NOT NULL THEN (
                   SELECT array_agg(name) FROM json_object_keys(headers) AS name
               ) END AS header_names,
               CASE WHEN creator_id <> :owner
                   THEN (SELECT username FROM users WHERE users.id = creator_id) END AS owner,
               CASE WHEN creator_id <> :owner THEN true END AS shared,
               coalesce(octet_length(CAST(server_info AS text)), 0)
               + coalesce(octet_length(CAST(left_out AS text)), 0) + coalesce(bytes, 0) AS bytes
        FROM server LEFT JOIN tool ON mcp_server_id = id
        ORDER BY created_at, id
    """  # noqa: S608 (statements of ours)


def _named(alias: str) -> str:
    """How a tool is told of by which no function can be called."""
    function = write_json(function_name(alias)).decode()
    return f',"function_name":{function},"newer_only":{NEEDS}'


NEEDS = write_json(NEEDS_FUNCTION_NAME).decode()
TOLD = Told(Server, texts={"mcp_tools": "coalesce(mcp_tools, '[]')"}, fill=_named)
TOOL = written(
    Tool,
    function_name=f"CASE WHEN {IS_FUNCTION} THEN '' ELSE {left('alias')} END",
    newer_only="''",
)
JOINED = f"""
    LEFT JOIN (
        WITH tool AS MATERIALIZED (
            SELECT mcp_server_id,
                   '[' || string_agg({TOOL}, ',' ORDER BY created_at, id) || ']' AS mcp_tools
            FROM mcptools WHERE mcp_server_id = ANY(ARRAY(SELECT id FROM told))
            GROUP BY mcp_server_id
        )
        SELECT * FROM tool
    ) AS tool ON mcp_server_id = told.id
"""  # noqa: S608 (statements of ours)


async def _select_schemas(connection: Connection, id_: UUID) -> list[dict[str, Any]]:
    """The schemas of a server's tools as the master agent is told of them."""
    sql = """
        SELECT alias, description, CAST(coalesce(flattened, "inputSchema") AS text) AS schema
        FROM mcptools WHERE mcp_server_id = :id ORDER BY created_at, id
    """
    rows = await connection.fetch_all(sql, {"id": id_})
    return [
        tool_schema(row["alias"], row["description"] or "", read_json(row["schema"]))
        for row in rows
    ]
