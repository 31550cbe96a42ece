"""What the master agent may call for a user: agents, tools of MCP servers and A2A agents."""

from typing import Any
from uuid import UUID

from databases.core import Connection
from msgspec import UNSET

from gateway.a2a.schemas import task_schema
from gateway.agents.schemas import ActiveSelection
from gateway.mcp.schemas import tool_schema
from gateway.web.paging import cut
from shared.agents import ActiveConnection, name_function
from shared.database import columns


async def select_active_connections(
    connection: Connection, owner: UUID, selection: ActiveSelection
) -> list[ActiveConnection]:
    """A page of the owner's active connections, newest first."""
    sql = """
        WITH active AS (
            SELECT id, alias AS name, 'genai' AS type, NULL AS url, description,
                   input_parameters AS content, created_at, updated_at, is_active
            FROM agents
            WHERE creator_id = :owner AND is_active AND name <> '' AND description <> ''
            UNION ALL
            SELECT mcptools.id, mcptools.alias, 'mcp', server_url, mcptools.description,
                   "inputSchema", mcptools.created_at, mcptools.updated_at, is_active
            FROM mcptools JOIN mcpservers ON mcpservers.id = mcp_server_id
            WHERE creator_id = :owner AND is_active
            UNION ALL
            SELECT id, name, 'a2a', rtrim(server_url, '/') || '/', description,
                   card_content, created_at, updated_at, is_active
            FROM a2acards
            WHERE creator_id = :owner AND is_active
        )
        SELECT * FROM active WHERE CAST(:type AS text) IN ('all', type)
        ORDER BY created_at DESC, id LIMIT :limit OFFSET :offset
    """
    values = {
        "owner": owner,
        "type": selection.agent_type,
        "limit": cut(selection.limit),
        "offset": selection.offset,
    }
    return [_active(**columns(row)) for row in await connection.fetch_all(sql, values)]


def _active(
    *,
    type: str,  # noqa: A002 (a column)
    name: str,
    description: str | None,
    content: dict[str, Any],
    url: str | None,
    **others: Any,
) -> ActiveConnection:
    match type:
        case "mcp":
            schema = tool_schema(name, description, content)
        case "a2a":
            schema = task_schema(name, description or "", content)
        case _:
            schema = name_function(content, name)
    return ActiveConnection(
        name=name, type=type, agent_schema=schema, url=UNSET if url is None else url, **others
    )
