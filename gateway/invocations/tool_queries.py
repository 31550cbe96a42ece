"""Which tools and A2A agents a user may ask, and what they are sent, in PostgreSQL."""

from uuid import UUID

from databases.core import Connection

from gateway.a2a.calling import Asked
from gateway.a2a.interfaces import Interface
from gateway.a2a.queries import TABLE
from gateway.mcp.called import Tool
from shared.codec.converter import structure
from shared.domain.grants import open_sent
from shared.domain.headers import open_headers
from shared.secrets import Vault


async def select_tool(
    connection: Connection, vault: Vault, user_id: UUID, server_id: UUID, tool_id: UUID
) -> Tool | None:
    """A tool that the user may use: of his server, or of one that is shared with him.

    Raises UndecryptableError.
    """
    sql = """
        SELECT servers.id, server_url, protocol_version, headers, oauth, mcptools.name
        FROM usable_servers(:user_id) AS servers JOIN mcptools ON mcp_server_id = servers.id
        WHERE servers.id = :server_id AND mcptools.id = :tool_id
    """
    values = {"user_id": user_id, "server_id": server_id, "tool_id": tool_id}
    row = await connection.fetch_one(sql, values)
    if row is None:
        return None
    sent = open_sent(vault, row["id"], row["headers"], row["oauth"])
    return Tool(row["server_url"], row["name"], row["protocol_version"], sent)


async def select_a2a_agent(
    connection: Connection, vault: Vault, user_id: UUID, id_: UUID
) -> Asked | None:
    """An A2A agent that the user may use: his, or shared with him. Raises UndecryptableError."""
    sql = """
        SELECT id, server_url, coalesce(interfaces, '[]') AS interfaces, headers
        FROM usable_cards(:user_id) WHERE id = :id
    """
    row = await connection.fetch_one(sql, {"user_id": user_id, "id": id_})
    if row is None:
        return None
    interfaces = structure(row["interfaces"], list[Interface])
    return Asked(row["server_url"], interfaces, open_headers(vault, TABLE, id_, row["headers"]))
