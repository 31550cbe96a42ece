"""What clients send to ask a tool or an A2A agent itself, and what they are told."""

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from attrs import field, frozen
from msgspec import UNSET, Meta, UnsetType

from gateway.openapi.schemas import Json
from shared.codec.rules import JsonObject

CALL_LIMIT = 50.0  # seconds: proxies wait a minute

Wait = Annotated[
    float,
    Meta(
        ge=0.1,
        le=CALL_LIMIT,
        description="For how many seconds to wait for the answer. Without one by then, the call "
        "has failed here; what it does there may go on.",
    ),
]


@frozen
class ToolArguments:
    """What a tool is called with."""

    example: ClassVar[Json] = {"arguments": {}}

    arguments: Annotated[
        JsonObject, Meta(description="By the names that its `inputSchema` has.")
    ] = field(factory=dict)


@frozen
class CalledToolId:
    """A tool of a server, and how long to wait for its answer."""

    server_id: Annotated[UUID, Meta(description="Which server.")]
    tool_id: Annotated[UUID, Meta(description="Which of its tools.")]
    wait: Wait = CALL_LIMIT


@frozen
class A2AQuestion:
    """What an A2A agent is asked."""

    example: ClassVar[Json] = {"text": "What time is it in Kyiv?"}

    text: Annotated[str, Meta(min_length=1)]


@frozen
class AskedA2AAgentId:
    """An A2A agent, and how long to wait for its answer."""

    agent_id: Annotated[UUID, Meta(description="Which A2A agent.")]
    wait: Wait = CALL_LIMIT


@frozen(slots=False)
class ToolContent:
    """A part of what a tool answers."""

    type: Literal["text", "image", "audio", "resource", "resource_link", "other"]
    text: str | UnsetType = UNSET
    data: Annotated[str | UnsetType, Meta(description="Bytes, as base64.")] = UNSET
    mime_type: str | UnsetType = UNSET
    uri: str | UnsetType = UNSET
    name: str | UnsetType = UNSET


@frozen(slots=False)
class ToolAnswer:
    """What a tool answers.

    What its server is sent to know who asks stands in none of it.
    """

    is_error: Annotated[bool, Meta(description="Whether the tool says that it failed.")]
    content: list[ToolContent]
    structured_content: Annotated[
        Any | UnsetType, Meta(description="The same as data, where there is such.")
    ] = UNSET


@frozen(slots=False)
class A2AAnswer:
    """What an A2A agent answers."""

    texts: list[str]
    others: Annotated[int, Meta(description="How many parts it has that are no texts.")]
    state: Annotated[
        str | None,
        Meta(
            description="Of its task: `completed`, `failed`, `input-required` or another word of "
            "the protocol. Null where it answers by a message alone."
        ),
    ]
