"""The SDK's server: all that is answered at once, in the form that each revision has.

Its transport is left out: without sessions that one has no stream for what changes, none that is
gone on with at another gateway, and nothing that a client could cancel.
"""

from collections.abc import Mapping
from typing import Any

import anyio
from attrs import field, frozen
from mcp import MCPError
from mcp.server.caching import CacheHint
from mcp.server.connection import Connection as Client
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.runner import ServerRunner
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    SERVER_INFO_META_KEY,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    RequestParams,
)
from mcp_types.methods import serialize_server_result, validate_client_request
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from gateway.mcpserver import resources
from gateway.mcpserver.exchanges import Exchange
from gateway.mcpserver.schemas import RpcId
from gateway.mcpserver.tools import list_tools
from gateway.openapi.schemas import Json
from gateway.web.call import Call
from shared import VERSION
from shared.codec.text import write_json
from shared.postgres.pool import connect

INSTRUCTIONS = (
    "The tools are the user's agents and flows that are connected now. `ask` asks the master agent,"
    " which knows them all, besides further tools that it alone can call. The resources are the "
    "user's files."
)
HOUR = 3_600_000  # milliseconds
CAPABILITIES: Json = {"tools": {"listChanged": True}, "resources": {}}
COMPLETE: Json = {"resultType": "complete"}  # which revisions with sessions know nothing of
ALONE = TransportContext(kind="streamable-http", can_send_request=False)

type Context = ServerRequestContext[Any, Call[Any, Any]]


async def _list_tools(context: Context, params: PaginatedRequestParams | None) -> Json:
    if params is not None and params.cursor is not None:
        raise MCPError(INVALID_PARAMS, "All tools are listed at once: there is no such cursor")
    call = _call_of(context)
    async with call.turn("list_tools"), connect(call.database) as connection:
        tools = await list_tools(connection, call.user_id)
    await call.make_room(len(write_json(tools)))
    return {"tools": tools, **COMPLETE}


async def _list_resources(context: Context, params: PaginatedRequestParams | None) -> Json:
    cursor = None if params is None else params.cursor
    return {**await resources.list_resources(_call_of(context), cursor), **COMPLETE}


async def _list_templates(_context: Context, _params: PaginatedRequestParams | None) -> Json:
    return {"resourceTemplates": [resources.TEMPLATE], **COMPLETE}


async def _read_resource(context: Context, params: ReadResourceRequestParams) -> Json:
    is_modern = context.protocol_version in MODERN_PROTOCOL_VERSIONS
    read = await resources.read_resource(_call_of(context), params.uri, is_modern=is_modern)
    return {**read, **COMPLETE}


async def _discover(_context: Context, _params: RequestParams) -> Json:
    return {
        "supportedVersions": [*MODERN_PROTOCOL_VERSIONS],
        "capabilities": CAPABILITIES,
        "instructions": INSTRUCTIONS,
        **COMPLETE,
    }


def _call_of(context: Context) -> Call[Any, Any]:
    assert context.request is not None
    return context.request


def _make_server() -> Server[Json]:
    made: Server[Json] = Server(
        "genai",
        version=VERSION,
        title="GenAI back-end",
        instructions=INSTRUCTIONS,
        cache_hints={
            "server/discover": CacheHint(ttl_ms=HOUR),
            "resources/templates/list": CacheHint(ttl_ms=HOUR),
            "resources/read": CacheHint(ttl_ms=HOUR),  # a file stays what it is
            "tools/list": CacheHint(),
            "resources/list": CacheHint(),
        },
    )
    made.middleware.clear()  # operations have spans of their own
    made.add_request_handler("tools/list", PaginatedRequestParams, _list_tools)
    made.add_request_handler("resources/list", PaginatedRequestParams, _list_resources)
    made.add_request_handler("resources/templates/list", PaginatedRequestParams, _list_templates)
    made.add_request_handler("resources/read", ReadResourceRequestParams, _read_resource)
    made.add_request_handler("server/discover", RequestParams, _discover)
    return made


SERVER = _make_server()
GREETING = SERVER.create_initialization_options(NotificationOptions(tools_changed=True))


@frozen
class _Alone:
    """What a handler knows of its request; it tells nothing before the answer."""

    request_id: RpcId
    message_metadata: ServerMessageMetadata
    transport: TransportContext = ALONE
    can_send_request: bool = False
    cancel_requested: anyio.Event = field(factory=anyio.Event)

    async def send_raw_request(
        self, method: str, _params: Mapping[str, Any] | None, _opts: CallOptions | None = None
    ) -> dict[str, Any]:
        raise NoBackChannelError(method)

    async def notify(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> None:
        """Nobody listens."""

    async def progress(
        self, progress: float, total: float | None = None, message: str | None = None
    ) -> None:
        """Nobody listens."""


async def result_for(call: Call[Any, Any], exchange: Exchange) -> Json:
    """The result of a request. Raises MCPError, and errors of the API."""
    assert exchange.id is not None
    client = Client.from_envelope(exchange.version, *exchange.client)
    runner = ServerRunner(SERVER, client, {}, init_options=GREETING)
    alone = _Alone(exchange.id, ServerMessageMetadata(request_context=call))
    try:
        return await runner.on_request(alone, exchange.method, exchange.params)
    except ValidationError:
        raise MCPError(INVALID_PARAMS, "Invalid request parameters") from None


def check_params(exchange: Exchange) -> None:
    """Raises MCPError where a method's parameters are not what the revision wants."""
    try:
        validate_client_request(exchange.method, exchange.version, exchange.params)
    except KeyError:
        raise MCPError(METHOD_NOT_FOUND, "Method not found", exchange.method) from None
    except ValidationError:
        raise MCPError(INVALID_PARAMS, "Invalid request parameters") from None


def shape(method: str, version: str, result: Json) -> Json:
    """A result with what the revision knows of it, and what it wants besides."""
    shaped = serialize_server_result(method, version, {**result, **COMPLETE})
    if version in MODERN_PROTOCOL_VERSIONS:
        shaped["_meta"] = {**shaped.get("_meta", {}), SERVER_INFO_META_KEY: SERVER_INFO}
    return shaped


SERVER_INFO = SERVER.server_info_stamp
