"""What clients send about agents, and what they are told."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from attrs import frozen
from msgspec import UNSET, Meta, UnsetType

from gateway.openapi.schemas import Json
from gateway.web.examples import AGENT_ID
from gateway.web.paging import Limit, Offset, Shared
from shared.codec.rules import JsonObject
from shared.domain.agents import NAME_LIMIT, ActiveConnection, IsShared, SharedBy

AgentName = Annotated[
    str,
    Meta(
        max_length=NAME_LIMIT,
        description="Stored in lower case with `_` for blanks. May be empty until it connects.",
    ),
]
Description = Annotated[str, Meta(max_length=64 * 1024)]

LEAST_SECONDS = 60
MOST_SECONDS = 10 * 365 * 24 * 3600

ExpiresIn = Annotated[
    int,
    Meta(
        ge=LEAST_SECONDS,
        le=MOST_SECONDS,
        description="For how many seconds the token is good; null: as long as there is the agent.",
        extra={
            "error": f"'expires_in' must be {LEAST_SECONDS} to {MOST_SECONDS:,} seconds, or null"
        },
    ),
]

EXAMPLE: Json = {
    "name": "time_teller",
    "description": "Tells what time it is in a city.",
    "input_parameters": {
        "type": "function",
        "function": {
            "name": "time_teller",
            "description": "Tells what time it is in a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string", "description": "Which city."}},
                "required": ["city"],
            },
        },
    },
}


@frozen
class NewAgent:
    """An agent to register. Name and description may be empty: it brings them when it connects.

    Without an id, or with an empty one, it gets a new one.
    """

    example: ClassVar[Json] = {"id": AGENT_ID, **EXAMPLE}
    added_schema: ClassVar[Json] = {
        "properties": {
            "id": {"anyOf": [{"type": "string", "format": "uuid"}, {"const": ""}], "default": ""}
        }
    }

    name: AgentName
    description: Description
    input_parameters: JsonObject
    id: str | None = ""
    expires_in: ExpiresIn | None = None


@frozen
class NewToken:
    """A new token for an agent, in place of the one that it has."""

    example: ClassVar[Json] = {"expires_in": 30 * 24 * 3600}

    expires_in: ExpiresIn | None = None


@frozen
class AgentChanges:
    """What an agent is from now on; its alias stays."""

    example: ClassVar[Json] = EXAMPLE

    name: AgentName
    description: Description
    input_parameters: JsonObject


@frozen(slots=False)
class RegisteredAgent:
    """An agent with the token that was issued for it."""

    id: UUID
    name: str
    description: str
    input_parameters: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    alias: str
    jwt: str
    connects_to: Annotated[
        str | UnsetType, Meta(description="What it connects to, where AGENTS_URL says it.")
    ] = UNSET


@frozen(slots=False)
class Agent:
    """A stored agent."""

    agent_id: UUID
    agent_name: str
    agent_description: str
    agent_schema: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    is_active: bool
    agent_jwt: Annotated[
        str,
        Meta(
            description="Its token; empty where another agent asks, or a key without the scope "
            "`agents`, or where it is another user's."
        ),
    ]
    agent_alias: str
    owner: SharedBy = UNSET
    shared: IsShared = UNSET
    is_active_since: Annotated[
        datetime | UnsetType | None,
        Meta(
            description="With `details`: since when it is connected, or is not, in UTC; null where "
            "that is not known."
        ),
    ] = UNSET


Details = Annotated[bool, Meta(description="Whether `is_active_since` is told too.")]


@frozen
class AgentSelection:
    """Which agents to list: `name` matches exactly, `description` contains."""

    name: Annotated[str, Meta(description="Exactly this name.")] | None = None
    description: (
        Annotated[str, Meta(description="What the description contains, in capitals or not.")]
        | None
    ) = None
    limit: Limit = 100
    offset: Offset = 0
    shared: Shared = False
    details: Details = False


@frozen
class FrontendSelection(AgentSelection):
    """Which agents to list, by whether they are connected too."""

    is_active: Annotated[bool, Meta(description="Whether it is connected.")] | None = None


@frozen
class AgentId:
    """One agent."""

    agent_id: Annotated[UUID, Meta(description="Which agent.")]


@frozen
class AgentView(AgentId):
    """One agent, and how much of it."""

    details: Details = False


@frozen
class ActiveSelection:
    """Which active connections to list."""

    agent_type: Annotated[
        Literal["genai", "mcp", "a2a", "all"],
        Meta(
            description="Of which kind; flows come with `genai` and `all`. A2A agents have their "
            "aliases as names with `all`, the names of their cards with `a2a`."
        ),
    ] = "all"
    limit: Limit = 100
    offset: Offset = 0
    shared: Annotated[
        bool,
        Meta(
            description="Whether what other users share with the user is listed too. For services "
            "it always is: it may be called."
        ),
    ] = False


@frozen(slots=False)
class ActiveConnections:
    """What the master agent may call, and how many these are."""

    count_active_connections: int
    active_connections: list[ActiveConnection]
