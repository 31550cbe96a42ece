"""What the master agent may call for a user: agents, tools of MCP servers and A2A agents."""

import logging
from typing import Any
from uuid import UUID

from databases.core import Connection
from databases.interfaces import Record
from msgspec import UNSET, UnsetType

from gateway.a2a.interfaces import needs_newer
from gateway.a2a.schemas import task_schema
from gateway.agents.known import known_schema
from gateway.agents.schemas import ActiveSelection
from gateway.web.paging import Page, Slice, select_page
from gateway.web.told import Told, left
from gateway.web.usable import listed
from shared.codec.text import read_json, write_json
from shared.domain.agents import (
    IS_FUNCTION,
    NEEDS_FUNCTION_NAME,
    ActiveConnection,
    callable_schema,
    function_name,
    tool_schema,
)
from shared.domain.flows import active_flows, active_flows_of, flow_schema
from shared.domain.grants import open_sent
from shared.domain.headers import open_headers
from shared.secrets import UndecryptableError, Vault

logger = logging.getLogger(__name__)


async def select_active_connections(
    connection: Connection,
    vault: Vault | None,
    owner: UUID,
    selection: ActiveSelection,
    part: Slice,
    *,
    with_shared: bool,
) -> Page[ActiveConnection]:
    """A page of the owner's active connections, newest first; with what others share with him, too.

    Each has a name of its own. Asked for A2A agents alone, these have the names of their cards.
    With a vault they have what their servers are sent with each call.
    """
    sql = f"""
        WITH active AS (
            SELECT id, alias AS name, alias, 'genai' AS type, NULL AS url, description,
                   input_parameters AS content, CAST(NULL AS json) AS interfaces,
                   created_at, updated_at, is_active, NULL AS server_id, NULL AS headers,
                   NULL AS oauth, creator_id
            FROM {listed("agents", shared=with_shared)} AS agents WHERE is_active
            UNION ALL
            SELECT mcptools.id, mcptools.alias, mcptools.alias, 'mcp', server_url,
                   mcptools.description, coalesce(flattened, "inputSchema"), NULL,
                   mcptools.created_at, mcptools.updated_at, is_active,
                   mcpservers.id, mcpservers.headers, mcpservers.oauth, creator_id
            FROM {listed("servers", shared=with_shared)} AS mcpservers
            JOIN mcptools ON mcp_server_id = mcpservers.id WHERE is_active
            UNION ALL
            SELECT id, CASE WHEN CAST(:type AS text) = 'a2a' THEN name ELSE alias END, alias, 'a2a',
                   server_url, description,
                   json_build_object('skills', card_content -> 'skills'), interfaces,
                   created_at, updated_at, is_active, id, headers, NULL, creator_id
            FROM {listed("cards", shared=with_shared)} AS cards WHERE is_active
        )
        SELECT id, name, alias, type, url, description, CAST(content AS text) AS content,
               CAST(interfaces AS text) AS interfaces, created_at, updated_at, is_active,
               CAST(NULL AS uuid[]) AS flow, server_id, headers, oauth,
               CASE WHEN creator_id <> :owner
                   THEN (SELECT username FROM users WHERE users.id = creator_id) END AS owner,
               CASE WHEN creator_id <> :owner THEN true END AS shared,
               coalesce(octet_length(description), 0) + octet_length(CAST(content AS text))
                   + coalesce(octet_length(CAST(interfaces AS text)), 0)
                   + coalesce(octet_length(CAST(headers AS text)), 0)
                   + coalesce(octet_length(oauth), 0) AS bytes
        FROM active WHERE :type IN ('all', type)
        ORDER BY created_at DESC, id LIMIT :limit OFFSET :offset
    """  # noqa: S608 (one of two texts)
    values = {"owner": owner, "type": selection.agent_type}
    return await select_page(connection, sql, values, part, _told(vault))


def _told(vault: Vault | None) -> Told:
    if vault is None:
        texts = {**TEXTS, "headers": "''"}
        return Told(ActiveConnection, NEEDED, texts=texts, fill=_fill, agent_schema=_schema)

    def sent(row: Record) -> dict[str, str] | UnsetType:
        return _sent(vault, row)

    needs = (*NEEDED, "id", "server_id", "headers", "oauth")
    return Told(
        ActiveConnection, needs, texts=TEXTS, fill=_fill, agent_schema=_schema, headers=sent
    )


NEEDED = ("name", "type", "description", "content")
# What is odd is left to the gateway: aliases that are no names of functions, and interfaces.
TEXTS = {
    "url": """
        coalesce(',"url":' || CAST(to_json(CASE
            WHEN type <> 'a2a' OR strpos(url, '?') > 0 THEN url ELSE rtrim(url, '/') || '/'
        END) AS text), '')
    """,
    "function_name": f"""
        CASE WHEN NOT {IS_FUNCTION} THEN {left("'function_name'", "name", "alias")}
             WHEN alias <> name THEN ',"function_name":' || CAST(to_json(alias) AS text)
             ELSE '' END
    """,
    "newer_only": f"""
        CASE WHEN type = 'mcp' AND NOT {IS_FUNCTION} THEN {left("'mcp'")}
             WHEN interfaces IS NOT NULL THEN {left("'a2a'", "interfaces")}
             ELSE '' END
    """,
}


def _fill(field: str, *values: str) -> str:
    match field, values:
        case "function_name", (name, alias):
            function = function_name(alias)
            return "" if function == name else f',"function_name":{_text(function)}'
        case "mcp", ():
            return f',"newer_only":{_text(NEEDS_FUNCTION_NAME)}'
    [interfaces] = values
    newer = needs_newer(interfaces)
    return "" if newer is UNSET else f',"newer_only":{_text(newer)}'


def _text(value: object) -> str:
    return write_json(value).decode()


def _sent(vault: Vault, row: Record) -> dict[str, str] | UnsetType:
    """What its server is sent; without what can't be decrypted it says itself what it wants."""
    try:
        match row["type"]:
            case "mcp":
                return open_sent(vault, row["server_id"], row["headers"], row["oauth"]) or UNSET
            case "a2a":
                return open_headers(vault, "a2acards", row["id"], row["headers"]) or UNSET
    except UndecryptableError as error:
        logger.warning("%s, and is left out", error)
    return UNSET


async def select_flows(
    connection: Connection, owner: UUID, *, with_shared: bool
) -> tuple[list[Record], int]:
    """The active flows, to be told by `FLOW`, and about how many bytes they are then."""
    sql = active_flows(f"{FLOW.columns}, {FLOW_BYTES} AS bytes")
    rows = await connection.fetch_all(sql, active_flows_of(owner, with_shared=with_shared))
    return rows, sum(row["bytes"] for row in rows)


def _flow_schema(row: Record) -> Any:
    return known_schema(
        flow_schema, row["alias"], row["description"], row["first_type"], row["first_schema"]
    )


FLOW = Told(
    ActiveConnection,
    ("alias", "description", "first_type", "first_schema"),
    texts={
        "name": "CAST(to_json(alias) AS text)",
        "type": """'"flow"'""",
        "is_active": "'true'",
        "flow": """',"flow":' || CAST(to_json(member_ids) AS text)""",
        **dict.fromkeys(("url", "function_name", "interfaces", "newer_only", "headers"), "''"),
    },
    agent_schema=_flow_schema,
)
FLOW_BYTES = "octet_length(first_schema) + 39 * cardinality(member_ids)"


def _schema(row: Record) -> Any:
    return known_schema(
        _make_schema, row["name"], row["description"] or "", row["type"], row["content"]
    )


def _make_schema(name: str, description: str, type_: str, content: str) -> dict[str, Any]:
    parsed: dict[str, Any] = read_json(content)
    match type_:
        case "mcp":
            return tool_schema(name, description, parsed)
        case "a2a":
            return task_schema(name, description, parsed)
    return callable_schema(parsed, name, description)
