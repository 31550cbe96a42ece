"""Active things that flows are made of, written as their registration would."""

import json
from uuid import UUID, uuid4

from tests.sql import Sql
from tests.users import Json, User

FUNCTION = {
    "type": "function",
    "function": {"name": "fn", "description": "fd", "parameters": {"type": "object"}},
}
TOOL_SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def insert_agent(sql: Sql, owner: str, name: str = "agent", *, is_active: bool = True) -> Json:
    """An agent as a member."""
    id_ = str(uuid4())
    sql(
        """
        INSERT INTO agents
            (id, alias, name, description, jwt, creator_id, input_parameters, is_active)
        VALUES (%s, %s, %s, 'd', %s, %s, %s, %s)
        """,
        *(id_, f"{name}_{id_}", name, id_, owner, json.dumps(FUNCTION), is_active),
    )
    return {"id": id_, "type": "genai"}


def insert_tool(sql: Sql, owner: str, schema: Json | None = None) -> Json:
    """A tool of an active MCP server of its own, as a member."""
    server, id_ = uuid4(), str(uuid4())
    sql(
        "INSERT INTO mcpservers (id, server_url, creator_id, is_active) VALUES (%s, %s, %s, true)",
        *(server, f"http://{server}/mcp", owner),
    )
    sql(
        """
        INSERT INTO mcptools (id, name, alias, "inputSchema", mcp_server_id)
        VALUES (%s, 'tool', 'tool_abcdef', %s, %s)
        """,
        *(id_, json.dumps(TOOL_SCHEMA if schema is None else schema), server),
    )
    return {"id": id_, "type": "mcp"}


def insert_card(sql: Sql, owner: str) -> Json:
    """An active A2A agent, as a member."""
    id_ = str(uuid4())
    sql(
        """
        INSERT INTO a2acards (id, name, alias, server_url, card_content, creator_id, is_active)
        VALUES (%s, 'card', 'card_abcdef', %s, '{}', %s, true)
        """,
        *(id_, f"http://{id_}/", owner),
    )
    return {"id": id_, "type": "a2a"}


def deactivate(sql: Sql, member: Json) -> None:
    """The member is no longer connected, or its server no longer reachable."""
    id_ = UUID(member["id"])
    sql("UPDATE agents SET is_active = false WHERE id = %s", id_)
    sql("UPDATE a2acards SET is_active = false WHERE id = %s", id_)
    sql(
        """
        UPDATE mcpservers SET is_active = false
        FROM mcptools WHERE mcp_server_id = mcpservers.id AND mcptools.id = %s
        """,
        id_,
    )


async def create_flow(user: User, *members: Json, name: str = "My Flow") -> Json:
    """A flow of these members."""
    new = {"name": name, "description": "Does both", "flow": members}
    answer = await user.http.post("/api/agentflows/register", json=new)
    assert answer.status_code == 200, answer.text
    flow: Json = answer.json()
    return flow
