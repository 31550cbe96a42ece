"""What clients send about A2A agents, and what they are told."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from attrs import frozen
from msgspec import UNSET, Meta, UnsetType

from gateway.openapi.schemas import Json
from gateway.remote.credentials import BearerToken, HeaderChanges, HeaderNames, NewHeaders
from gateway.remote.urls import URL_SCHEMA
from gateway.web.paging import Limit, Offset, Shared
from shared.codec.rules import Url
from shared.domain.agents import TASK_SCHEMA, Interfaces, IsShared, NewerOnly, SharedBy

LeftOutParts = Annotated[
    dict[str, Any] | UnsetType,
    Meta(
        description="Parts of its card that can't be used, where there are any: `count`, and "
        "`parts`, the first of them, each with its `name` and the `reason`. An interface is named "
        "by its URL."
    ),
]
Lacking = Annotated[
    str | UnsetType,
    Meta(description="What it wants by its card and is not sent, where there is something."),
]
CardUrl = Annotated[str | UnsetType, Meta(description="Where its card is.")]


@frozen
class NewA2AAgent:
    """An A2A agent by its address, or by that of its card.

    The card is looked for at the address, then at its host.
    """

    example: ClassVar[Json] = {"server_url": "https://agent.example.com"}
    added_schema: ClassVar[Json] = {"properties": {"server_url": URL_SCHEMA}}

    server_url: Url
    headers: NewHeaders | UnsetType = UNSET
    bearer_token: BearerToken | UnsetType = UNSET


@frozen
class A2AAgentChanges:
    """What an A2A agent is sent from now on. Its card has to be found by that."""

    example: ClassVar[Json] = {"headers": {"X-Api-Key": "0123456789"}}

    headers: HeaderChanges | UnsetType = UNSET
    bearer_token: BearerToken | UnsetType | None = UNSET


@frozen(slots=False)
class LookedUpA2AAgent:
    """An A2A agent that has just been looked up."""

    id: UUID
    name: str
    alias: str
    description: str
    server_url: str
    card_content: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    card_url: CardUrl = UNSET
    interfaces: Interfaces = UNSET
    left_out: LeftOutParts = UNSET
    newer_only: NewerOnly = UNSET
    header_names: HeaderNames = UNSET
    lacking: Lacking = UNSET


@frozen(slots=False)
class A2AAgent:
    """A stored A2A agent."""

    id: UUID
    name: str
    alias: str
    description: str
    server_url: str
    card_content: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    is_active: bool
    creator_id: UUID
    card_url: CardUrl = UNSET
    interfaces: Interfaces = UNSET
    left_out: LeftOutParts = UNSET
    newer_only: NewerOnly = UNSET
    header_names: HeaderNames = UNSET
    lacking: Lacking = UNSET
    owner: SharedBy = UNSET
    shared: IsShared = UNSET


@frozen
class A2AAgentPage:
    """Which of the user's A2A agents to list, or of those that others share with him."""

    limit: Limit = 100
    offset: Offset = 0
    shared: Shared = False


@frozen
class A2AAgentId:
    """One A2A agent."""

    agent_id: Annotated[UUID, Meta(description="Which A2A agent.")]


def task_schema(name: str, description: str, card_content: dict[str, Any]) -> dict[str, Any]:
    """The function schema of an agent: a task in words, described with a line for each skill."""
    skills = [skill.get("description") for skill in card_content.get("skills") or []]
    lines = [line for line in skills if isinstance(line, str)]
    return {
        "title": name,
        "description": "\n".join([description, "SKILLS:", *lines] if lines else [description]),
        **TASK_SCHEMA,
    }
