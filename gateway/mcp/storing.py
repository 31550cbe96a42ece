"""What was found at an MCP server, put into PostgreSQL."""

from uuid import UUID, uuid4

from databases.core import Connection

from gateway.mcp.tools import ALL_LIMIT, MOST_TOOLS, FoundServer
from gateway.remote.kinds import pause_of_whole
from gateway.remote.left_out import describe
from shared.codec.converter import unstructure
from shared.domain.agents import make_tool_alias


async def update_servers(
    connection: Connection, server_ids: list[UUID], found: FoundServer
) -> None:
    """Give locked servers what was found, and these tools; one that stays keeps its id and alias.

    Of others those stay that are left out now, or may not have been listed: as far as there is
    room for them.
    """
    await _update_info(connection, server_ids, found)
    await _delete_gone(connection, server_ids, found)
    await _upsert_tools(connection, server_ids, found)


async def _update_info(connection: Connection, server_ids: list[UUID], found: FoundServer) -> None:
    sql = """
        UPDATE mcpservers SET
            server_info = :info,
            left_out = :left_out,
            protocol_version = :version,
            lookup_digest = :digest,
            whole_lookup_at = now() + make_interval(secs => :pause)
        WHERE id = ANY(:server_ids)
    """
    values = {
        "server_ids": server_ids,
        "info": found.info,
        "left_out": describe(found.left_out, "tools"),
        "version": found.version,
        "digest": found.digest,
        "pause": pause_of_whole(),
    }
    await connection.execute(sql, values)


async def _delete_gone(connection: Connection, server_ids: list[UUID], found: FoundServer) -> None:
    sql = """
        WITH old AS (
            SELECT id, name,
                   row_number() OVER server AS place,
                   sum(octet_length(CAST("inputSchema" AS text))) OVER server AS bytes
            FROM mcptools
            WHERE mcp_server_id = ANY(:server_ids) AND name <> ALL(CAST(:found AS text[]))
            WINDOW server AS (PARTITION BY mcp_server_id ORDER BY created_at, id)
        )
        DELETE FROM mcptools USING old
        WHERE mcptools.id = old.id
          AND (place > :most OR bytes > :most_bytes
               OR (:is_whole AND old.name <> ALL(CAST(:left_out AS text[]))))
    """
    values = {
        "server_ids": server_ids,
        "found": [tool.name for tool in found.tools],
        "left_out": [one.name for one in found.left_out if "\x00" not in one.name],
        "is_whole": found.is_whole,
        "most": MOST_TOOLS - len(found.tools),
        "most_bytes": ALL_LIMIT,
    }
    await connection.execute(sql, values)


async def _upsert_tools(connection: Connection, server_ids: list[UUID], found: FoundServer) -> None:
    sql = """
        WITH found AS (
            SELECT * FROM json_to_recordset(CAST(:tools AS json)) AS tool
                (name text, description text, "inputSchema" json, annotations json,
                 flattened json, place integer)
        ), changed AS (
            UPDATE mcptools SET
                description = found.description,
                "inputSchema" = found."inputSchema",
                annotations = found.annotations,
                flattened = found.flattened,
                updated_at = now()
            FROM found
            WHERE mcp_server_id = ANY(:server_ids) AND mcptools.name = found.name
              AND (mcptools.description, CAST(mcptools."inputSchema" AS jsonb),
                   CAST(mcptools.annotations AS jsonb), CAST(mcptools.flattened AS jsonb))
                  IS DISTINCT FROM
                  (found.description, CAST(found."inputSchema" AS jsonb),
                   CAST(found.annotations AS jsonb), CAST(found.flattened AS jsonb))
        )
        INSERT INTO mcptools
            (id, name, description, "inputSchema", annotations, flattened, alias, mcp_server_id)
        SELECT (CAST(:ids AS uuid[]))[row_number() OVER new], name, description, "inputSchema",
               annotations, flattened,
               concat(name, (CAST(:endings AS text[]))[row_number() OVER new]), server_id
        FROM found CROSS JOIN unnest(CAST(:server_ids AS uuid[])) AS server_id
        WHERE NOT EXISTS (
            SELECT FROM mcptools
            WHERE mcptools.mcp_server_id = server_id AND mcptools.name = found.name
        )
        WINDOW new AS (ORDER BY place)
    """
    rows = [{**unstructure(tool), "place": place} for place, tool in enumerate(found.tools)]
    # Ascending ids keep the order that the server lists its tools in. Each tool has an alias of its
    # own, also where several users have the server: what they share meets in one chat.
    ids = sorted(uuid4() for _ in range(len(rows) * len(server_ids)))
    endings = [make_tool_alias("") for _ in ids]
    values = {"server_ids": server_ids, "tools": rows, "ids": ids, "endings": endings}
    await connection.execute(sql, values)
