"""MCP servers: look up, list, read, change and delete."""

from typing import Any
from uuid import UUID

from msgspec import UNSET

from gateway.mcp import queries
from gateway.mcp.kind import MCP_SERVERS
from gateway.mcp.lookup import FoundServer
from gateway.mcp.schemas import (
    LookedUpServer,
    NewServer,
    Server,
    ServerChanges,
    ServerId,
    ServerPage,
)
from gateway.mcp.storing import update_servers
from gateway.remote.credentials import Values
from gateway.remote.errors import RefusedUrlError, UnreachableError
from gateway.remote.kinds import Target
from gateway.remote.urls import read_url
from gateway.web.credentials import change_headers, readable, says_headers
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.operation import Call, delete, get, listing, patch, post
from gateway.web.paging import Page
from gateway.web.quotas import within
from shared.postgres.pool import connect, transaction


async def create_server(call: Call[NewServer, Nothing]) -> LookedUpServer:
    """Look an MCP server up and store it, or refresh it."""
    new = call.body
    try:
        url = str(read_url(new.server_url))
    except RefusedUrlError as error:
        raise BadRequestError(str(error)) from None
    stored = {} if new.headers is not UNSET else await _stored_headers(call, url)
    headers = change_headers(stored, new)
    found = await _look_up(call, url, headers)
    async with (
        call.turn("create_server"),
        connect(call.database) as connection,
        within(queries.SERVERS, call, connection),
    ):
        id_ = await queries.upsert_server(connection, call.user_id, url)
        if says_headers(new):
            await queries.update_headers(
                connection, call.state["vault"], call.user_id, id_, headers
            )
        await update_servers(connection, [id_], found)
        server = await queries.select_server(connection, call.user_id, id_)
        tools = await queries.select_schemas(connection, id_)
    assert server is not None
    return _looked_up(server, tools)


async def _stored_headers(call: Call[Any, Any], url: str) -> dict[str, str]:
    with readable():
        async with connect(call.database) as connection:
            return await queries.select_headers(connection, call.state["vault"], call.user_id, url)


async def _look_up(call: Call[Any, Any], url: str, headers: Values) -> FoundServer:
    try:
        async with call.state["turns"].lookups.turn(call.user_id):
            return await MCP_SERVERS.look_up(call.state["outbound"], url, headers=headers)
    except UnreachableError as error:
        raise BadRequestError(f"Could not access MCP server on: {url}. {error.sentence}") from None


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
        header_names=server.header_names,
    )


async def update_server(call: Call[ServerChanges, ServerId]) -> Server:
    """Change what an MCP server is sent with each call, once it was looked up by that."""
    id_, owner = call.parameters.server_id, call.user_id
    async with connect(call.database) as connection:
        url = await queries.select_url(connection, owner, id_)
    if url is None:
        raise _unknown(id_)
    headers = change_headers(await _stored_headers(call, url), call.body)
    found = await _look_up(call, url, headers)
    async with (
        call.turn("update_server"),
        connect(call.database) as connection,
        transaction(connection),
    ):
        ids = await queries.activate_servers(connection, Target(url, id_))
        await queries.update_headers(connection, call.state["vault"], owner, id_, headers)
        await update_servers(connection, ids, found)
        server = await queries.select_server(connection, owner, id_)
    if server is None:
        raise _unknown(id_)
    return server


def _unknown(id_: UUID) -> BadRequestError:
    return BadRequestError(f"MCP server with id: {id_} was not found")


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
        raise _unknown(id_)
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
    patch(
        "/api/mcp/servers/{server_id}",
        update_server,
        ServerChanges,
        ServerId,
        Server,
        bounded=True,
        lends=False,
    ),
    delete("/api/mcp/servers/{server_id}", delete_server, ServerId),
]
