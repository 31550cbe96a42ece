"""What clients send about MCP servers, and what they are told."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from attrs import frozen
from msgspec import UNSET, Meta, UnsetType

from gateway.openapi.schemas import Json
from gateway.remote.credentials import BearerToken, HeaderChanges, HeaderNames, NewHeaders
from gateway.remote.urls import URL_SCHEMA
from gateway.web.paging import Limit, Offset, Shared
from shared.codec.rules import Url
from shared.domain.agents import FunctionName, IsShared, NewerOnly, SharedBy

ServerInfo = Annotated[
    dict[str, Any] | UnsetType,
    Meta(
        description="What the server says of itself, by the protocol's words: `name`, `title`, "
        "`version`, `description`, `websiteUrl`, `icons`, `instructions`; and `protocolVersion`, "
        "which is spoken with it."
    ),
]
LeftOutTools = Annotated[
    dict[str, Any] | UnsetType,
    Meta(
        description="Tools of the server that can't be used, where there are any: `count`, and "
        "`tools`, the first of them, each with its `name` and the `reason`."
    ),
]

Authorize = Annotated[
    bool,
    Meta(
        description="Whether one that lets nobody in is stored all the same, to log in there "
        "afterwards."
    ),
]
AuthorizationState = Annotated[
    Literal["wanted", "given"] | UnsetType,
    Meta(
        description="`wanted`: it lets nobody in who has not logged in there, or given a token. "
        "`given`: its owner has logged in."
    ),
]


@frozen
class NewServer:
    """An MCP server by its URL. A server has to answer there."""

    example: ClassVar[Json] = {"server_url": "https://mcp.example.com/mcp"}
    added_schema: ClassVar[Json] = {"properties": {"server_url": URL_SCHEMA}}

    server_url: Url
    headers: NewHeaders | UnsetType = UNSET
    bearer_token: BearerToken | UnsetType = UNSET
    authorize: Authorize = False


@frozen
class ServerChanges:
    """What a server is sent from now on. It has to answer to that."""

    example: ClassVar[Json] = {"headers": {"X-Api-Key": "0123456789"}}

    headers: HeaderChanges | UnsetType = UNSET
    bearer_token: BearerToken | UnsetType | None = UNSET


@frozen(slots=False)
class Tool:
    """A tool of a server."""

    id: UUID
    name: str
    description: str | None
    inputSchema: dict[str, Any]  # noqa: N815 (the protocol's word)
    annotations: dict[str, Any] | None
    alias: str
    mcp_server_id: UUID
    created_at: datetime
    updated_at: datetime
    function_name: FunctionName = UNSET
    newer_only: NewerOnly = UNSET


@frozen(slots=False)
class Server:
    """A stored MCP server with its tools."""

    id: UUID
    name: str | None
    description: str | None
    server_url: str
    is_active: bool
    created_at: datetime
    updated_at: datetime
    creator_id: UUID
    mcp_tools: list[Tool]
    server_info: ServerInfo = UNSET
    left_out: LeftOutTools = UNSET
    header_names: HeaderNames = UNSET
    authorization: AuthorizationState = UNSET
    owner: SharedBy = UNSET
    shared: IsShared = UNSET


@frozen(slots=False)
class LookedUpServer:
    """A server that has just been looked up; its tools are as the master agent sees them."""

    id: UUID
    server_url: str
    mcp_tools: list[dict[str, Any]]
    is_active: bool
    created_at: datetime
    updated_at: datetime
    server_info: ServerInfo = UNSET
    left_out: LeftOutTools = UNSET
    header_names: HeaderNames = UNSET
    authorization: AuthorizationState = UNSET


@frozen
class ServerPage:
    """Which of the user's servers to list, or of those that others share with him."""

    limit: Limit = 100
    offset: Offset = 0
    shared: Shared = False


@frozen
class ServerId:
    """One server."""

    server_id: Annotated[UUID, Meta(description="Which server.")]
