"""The lines of an archive that is brought along: whatever somebody has written there is checked."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from attrs import field, frozen
from msgspec import Meta

from gateway.flows.schemas import MEMBERS_LIMIT, Description, FlowName, Member
from gateway.llms.schemas import ConfigName, MaxLastMessages, ModelName, Name, Prompt
from gateway.requests.schemas import Status, UsedModel
from shared.codec.rules import Url

Word = Annotated[str, Meta(max_length=255)]
Short = Annotated[str, Meta(max_length=32)]
Long = Annotated[str, Meta(max_length=2048)]
Text = Annotated[str, Meta(max_length=64 * 1024)]
Address = Annotated[Url, Meta(max_length=2048)]


@frozen
class ProfileLine:
    """What a user calls himself."""

    first_name: Word | None = None
    last_name: Word | None = None


@frozen
class ProviderLine:
    """A model provider, without a key."""

    id: UUID
    provider: Annotated[Name, Meta(min_length=1)]
    created_at: datetime
    updated_at: datetime


@frozen
class ConfigLine:
    """A model config, without credentials; its provider by name."""

    id: UUID
    name: ConfigName
    model: ModelName
    provider: Name
    system_prompt: Prompt
    user_prompt: Prompt
    temperature: float
    max_last_messages: MaxLastMessages
    created_at: datetime
    updated_at: datetime


@frozen
class AgentLine:
    """An agent."""

    agent_id: UUID
    agent_name: Annotated[str, Meta(max_length=255)]
    agent_description: Text
    agent_schema: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@frozen
class ToolLine:
    """A tool of an MCP server."""

    id: UUID
    name: Word
    description: Text | None
    inputSchema: dict[str, Any]  # noqa: N815 (the protocol's word)
    annotations: dict[str, Any] | None = None


@frozen
class ServerLine:
    """An MCP server, without headers."""

    id: UUID
    server_url: Address
    mcp_tools: Annotated[list[ToolLine], Meta(max_length=1000)]
    created_at: datetime
    updated_at: datetime
    name: Word | None = None
    description: Text | None = None


@frozen
class CardLine:
    """An A2A agent, without headers."""

    id: UUID
    name: Word
    server_url: Address
    card_content: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    description: Text = ""


@frozen
class FlowLine:
    """A flow; its members by their ids of before."""

    id: UUID
    name: FlowName
    description: Description
    flow: Annotated[list[Member], Meta(min_length=2), Meta(max_length=MEMBERS_LIMIT)]
    created_at: datetime
    updated_at: datetime


@frozen
class ChatLine:
    """A chat."""

    session_id: UUID
    title: Word
    created_at: datetime
    updated_at: datetime
    origin: Short | None = None


@frozen
class MessageLine:
    """A message of a chat."""

    id: UUID
    session_id: UUID
    request_id: UUID | None
    sender_type: Literal["user", "master_agent"]
    content: str
    created_at: datetime
    updated_at: datetime
    extra_metadata: dict[str, Any] | None = None


@frozen
class RequestLine:
    """A request."""

    request_id: UUID
    session_id: UUID
    message_id: UUID | None
    status: Status
    created_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    deadline: datetime | None
    execution_time: float | None
    error: Text | None
    usage: Annotated[list[UsedModel], Meta(max_length=1000)] | None = None


@frozen
class EntryLine:
    """What an agent has logged."""

    session_id: UUID
    request_id: UUID
    log_level: Short
    message: str
    created_at: datetime
    updated_at: datetime
    agent_id: Word | None = None


@frozen
class UseLine:
    """A message to which a file belongs, or a session."""

    session_id: UUID
    request_id: UUID | None


@frozen
class FileLine:
    """A file; its bytes have an entry of their own."""

    id: UUID
    original_name: Annotated[str, Meta(max_length=255)]
    mimetype: Word
    from_agent: bool
    created_at: datetime | None
    session_id: UUID | None = None
    request_id: UUID | None = None
    uses: Annotated[list[UseLine], Meta(max_length=10_000)] = field(factory=list)


@frozen
class Manifest:
    """What the archive says that it is."""

    format: str
    version: int
