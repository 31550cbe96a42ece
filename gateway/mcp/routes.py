"""MCP servers: look up, list, read and delete."""

from typing import Any

from gateway.mcp import queries
from gateway.mcp.kind import MCP_SERVERS
from gateway.mcp.schemas import LookedUpServer, NewServer, Server, ServerId, ServerPage
from gateway.mcp.storing import update_servers
from gateway.remote.errors import RefusedUrlError, UnreachableError
from gateway.remote.urls import read_url
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.operation import Call, delete, get, listing, post
from gateway.web.paging import Page
from gateway.web.quotas import within
from shared.postgres.pool import connect


async def create_server(call: Call[NewServer, Nothing]) -> LookedUpServer:
    """Look an MCP server up and store it, or refresh it."""
    try:
        url = str(read_url(call.body.server_url))
        async with call.state["turns"].lookups.turn(call.user_id):
            found = await MCP_SERVERS.look_up(call.state["outbound"], url)
    except RefusedUrlError as error:
        raise BadRequestError(str(error)) from None
    except UnreachableError as error:
        raise BadRequestError(f"Could not access MCP server on: {url}. {error.sentence}") from None
    async with (
        call.turn("create_server"),
        connect(call.database) as connection,
        within(queries.SERVERS, call, connection),
    ):
        id_ = await queries.upsert_server(connection, call.user_id, url)
        await update_servers(connection, [id_], found)
        server = await queries.select_server(connection, call.user_id, id_)
        tools = await queries.select_schemas(connection, id_)
    assert server is not None
    return _looked_up(server, tools)


def _looked_up(server: Server, tools: list[dict[str, Any]]) -> LookedUpServer:
    return LookedUpServer(
        id=server.id,
        server_url=server.server_url,
        mcp_tools=tools,
        is_active=server.is_active,
        created_at=server.created_at,
        updated_at=server.updated_at,
        server_info=server.server_info,
        left_out=server.left_out,
    )


async def list_servers(call: Call[Nothing, ServerPage]) -> Page[Server]:
    """List the user's MCP servers, active or not, oldest first."""
    return await call.read_page(
        lambda connection, part: queries.select_servers(connection, call.user_id, part)
    )


async def read_server(call: Call[Nothing, ServerId]) -> Server:
    """Read one of the user's MCP servers."""
    id_ = call.parameters.server_id
    async with connect(call.database) as connection:
        server = await queries.select_server(connection, call.user_id, id_)
    if server is None:
        raise BadRequestError(f"MCP server with id: {id_} was not found")
    return server


async def delete_server(call: Call[Nothing, ServerId]) -> None:
    """Delete one of the user's MCP servers with its tools."""
    id_ = call.parameters.server_id
    async with connect(call.database) as connection:
        if not await queries.delete_server(connection, call.user_id, id_):
            raise BadRequestError(f"MCP server with ID {id_} was not found")


operations = [
    post(
        "/api/mcp/servers",
        create_server,
        NewServer,
        LookedUpServer,
        names={"server_id": "/id"},
        bounded=True,
        lends=False,
    ),
    listing("/api/mcp/servers", list_servers, ServerPage, list[Server], fails=False),
    get("/api/mcp/servers/{server_id}", read_server, ServerId, Server),
    delete("/api/mcp/servers/{server_id}", delete_server, ServerId),
]
