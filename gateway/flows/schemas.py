"""What clients send about flows, and what they are told."""

from datetime import datetime
from typing import Annotated, ClassVar, get_args
from uuid import UUID

from attrs import frozen
from msgspec import UNSET, Meta

from gateway.openapi.schemas import Json
from gateway.web.examples import AGENT_ID
from gateway.web.paging import Limit, Offset, Shared
from shared.domain.agents import NAME_LIMIT, IsShared, SharedBy
from shared.domain.flows import MemberType

MEMBERS_LIMIT = 1000
SEEN = {"minLength": 1, "pattern": r"\S"}

FlowName = Annotated[
    str,
    Meta(
        max_length=NAME_LIMIT,
        description="Stored in lower case with `_` for blanks; not empty.",
        extra_json_schema=SEEN,
    ),
]
Description = Annotated[
    str, Meta(max_length=64 * 1024, description="Not empty.", extra_json_schema=SEEN)
]


@frozen
class WantedMember:
    """An active agent, tool of an MCP server or A2A agent by its id, and which of them it is.

    Anything else is refused by 400: front-ends send members without a type, and one sentence is all
    that they can show.
    """

    added_schema: ClassVar[Json] = {
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "type": {"enum": [*get_args(MemberType.__value__)]},
        },
        "required": ["id", "type"],
    }

    id: str | None = None
    type: str | None = None


@frozen(slots=False)
class Member:
    """An agent, a tool of an MCP server or an A2A agent, in a flow."""

    id: UUID
    type: MemberType


WantedMembers = Annotated[
    list[WantedMember],
    Meta(min_length=2, extra={"error": "Agentflow must contain more than 1 agent"}),
    Meta(max_length=MEMBERS_LIMIT),
]


@frozen
class WantedFlow:
    """A flow as it is to be: two or more active members in their order, also the same one twice."""

    example: ClassVar[Json] = {
        "name": "Time twice",
        "description": "Tells the time, and then tells it again.",
        "flow": [{"id": AGENT_ID, "type": "genai"}] * 2,
    }

    name: FlowName
    description: Description
    flow: WantedMembers


@frozen(slots=False)
class AgentFlow:
    """A flow; it is active while all its members are."""

    id: UUID
    name: str
    description: str
    flow: list[Member]
    is_active: bool
    created_at: datetime
    updated_at: datetime


@frozen(slots=False)
class ListedFlow(AgentFlow):
    """A flow of the user's, or one that another user shares with him."""

    owner: SharedBy = UNSET
    shared: IsShared = UNSET


@frozen(slots=False)
class StoredFlow(AgentFlow):
    """A flow that was just stored."""

    alias: str
    creator_id: UUID


@frozen
class FlowId:
    """One flow."""

    agentflow_id: Annotated[UUID, Meta(description="Which flow.")]


@frozen
class FlowPage:
    """Which of the user's flows to list, or of those that others share with him."""

    limit: Limit = 100
    offset: Offset = 0
    shared: Shared = False
