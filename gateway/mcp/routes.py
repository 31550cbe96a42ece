"""MCP servers: look up, list, read, change and delete."""

from typing import Any
from uuid import UUID

from attrs import field, frozen
from databases.core import Connection
from msgspec import UNSET

from gateway.audit.acting import acting
from gateway.mcp import queries, reading_queries
from gateway.mcp.kind import MCP_SERVERS
from gateway.mcp.schemas import (
    LookedUpServer,
    NewServer,
    Server,
    ServerChanges,
    ServerId,
    ServerPage,
)
from gateway.mcp.storing import update_servers
from gateway.mcp.tools import FoundServer
from gateway.remote.credentials import Values
from gateway.remote.errors import NotLetInError, RefusedUrlError, UnreachableError
from gateway.remote.kinds import Target
from gateway.remote.urls import read_url
from gateway.web.call import Call
from gateway.web.credentials import (
    SaysHeaders,
    change_headers,
    readable,
    says_authorization,
    says_headers,
)
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import delete, get, listing, patch, post
from gateway.web.paging import Page
from gateway.web.quotas import within
from shared.domain.grants import open_grant, with_token
from shared.domain.headers import open_headers
from shared.postgres.pool import connect


async def create_server(call: Call[NewServer, Nothing]) -> LookedUpServer:
    """Look an MCP server up and store it, or refresh it."""
    new = call.body
    try:
        url = str(read_url(new.server_url))
    except RefusedUrlError as error:
        raise BadRequestError(str(error)) from None
    sent = await _find_sent(call, url, new, keeps_others=new.headers is UNSET)
    try:
        found = await _look_up(call, url, sent.all)
    except NotLetInError as error:
        if not new.authorize:
            raise _refusal(url, error) from None
        found = None
    except UnreachableError as error:
        raise _refusal(url, error) from None
    async with (
        call.turn("create_server"),
        acting(call) as connection,
        within(queries.SERVERS, call, connection),
    ):
        id_ = await queries.upsert_server(connection, call.user_id, url)
        if says_headers(new):
            await _store_sent(call, connection, id_, sent)
        if found is None:
            await queries.update_wanting(connection, id_)
        else:
            await update_servers(connection, [id_], found)
        return await reading_queries.select_looked_up(connection, call.user_id, id_)


@frozen
class Sent:
    """What a server is sent once a body has said something of it."""

    headers: Values = field(repr=False)
    """Of which nobody has granted anything."""
    all: Values = field(repr=False)
    ends_grant: bool


async def _find_sent(
    call: Call[Any, Any], url: str, body: SaysHeaders, *, keeps_others: bool
) -> Sent:
    """What it is sent now, changed by a body; a token of one's own ends what was granted."""
    ends_grant = says_authorization(body)
    if ends_grant and not keeps_others:
        headers = change_headers({}, body)
        return Sent(headers, headers, ends_grant)
    vault = call.state["vault"]
    async with connect(call.database) as connection:
        stored = await queries.select_stored(connection, call.user_id, url)
    with readable():
        kept = stored.headers if stored and keeps_others else None
        opened = open_headers(vault, queries.TABLE, stored.id, kept) if stored else {}
        headers = change_headers(opened, body)
        if stored is None or stored.oauth is None or ends_grant:
            return Sent(headers, headers, ends_grant)
        granted = open_grant(vault, stored.id, stored.oauth)
        return Sent(headers, with_token(headers, granted), ends_grant)


async def _store_sent(call: Call[Any, Any], connection: Connection, id_: UUID, sent: Sent) -> None:
    vault = call.state["vault"]
    await queries.update_headers(
        connection, vault, call.user_id, id_, sent.headers, ends_grant=sent.ends_grant
    )


async def _look_up(call: Call[Any, Any], url: str, headers: Values) -> FoundServer:
    async with call.state["turns"].lookups.turn(call.user_id):
        return await MCP_SERVERS.look_up(call.state["outbound"], url, headers=headers)


def _refusal(url: str, error: UnreachableError) -> BadRequestError:
    return BadRequestError(f"Could not access MCP server on: {url}. {error.sentence}")


async def update_server(call: Call[ServerChanges, ServerId]) -> Server:
    """Change what an MCP server is sent with each call, once it was looked up by that."""
    id_, owner = call.parameters.server_id, call.user_id
    async with connect(call.database) as connection:
        url = await queries.select_url(connection, owner, id_)
    if url is None:
        raise _unknown(id_)
    sent = await _find_sent(call, url, call.body, keeps_others=True)
    try:
        found = await _look_up(call, url, sent.all)
    except UnreachableError as error:
        raise _refusal(url, error) from None
    async with (
        call.turn("update_server"),
        acting(call) as connection,
    ):
        ids = await queries.activate_servers(connection, Target(url, id_))
        await _store_sent(call, connection, id_, sent)
        await update_servers(connection, ids, found)
        server = await reading_queries.select_server(connection, owner, id_)
    if server is None:
        raise _unknown(id_)
    return server


def _unknown(id_: UUID) -> BadRequestError:
    return BadRequestError(f"MCP server with id: {id_} was not found")


async def list_servers(call: Call[Nothing, ServerPage]) -> Page[Server]:
    """List the user's MCP servers, or those that others share with him, oldest first.

    Active or not.
    """
    return await call.read_page(
        lambda connection, part: reading_queries.select_servers(
            connection, call.user_id, part, shared=call.parameters.shared
        )
    )


async def read_server(call: Call[Nothing, ServerId]) -> Server:
    """Read one of the user's MCP servers, or of those that others share with him."""
    id_ = call.parameters.server_id
    async with connect(call.database) as connection:
        server = await reading_queries.select_server(
            connection, call.user_id, id_, with_shared=True
        )
    if server is None:
        raise _unknown(id_)
    return server


async def delete_server(call: Call[Nothing, ServerId]) -> None:
    """Delete one of the user's MCP servers with its tools."""
    id_ = call.parameters.server_id
    async with acting(call) as connection:
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
