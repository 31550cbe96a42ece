"""What clients are told about requests."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from attrs import frozen
from msgspec import Meta

from gateway.web.paging import Limit, Offset

type Status = Literal[
    "queued", "running", "answered", "failed", "timed_out", "cancelled", "interrupted"
]


@frozen(slots=False)
class UsedModel:
    """The tokens of a language model; those of the input that a cache had are in both.

    The price is in USD, and null where it is not known.
    """

    model: str | None
    provider: str | None
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    price: float | None


@frozen(slots=False)
class ChatRequest:
    """A message's way to its answer. Times are UTC, `execution_time` is in seconds.

    `sent_at` is when the master agent was invoked; `deadline` when it is waited for no longer;
    `usage` is empty where the answer says nothing of it.
    """

    request_id: UUID
    session_id: UUID
    message_id: UUID | None
    status: Status
    created_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    deadline: datetime
    execution_time: float | None
    error: str | None
    usage: list[UsedModel]


@frozen
class RequestId:
    """One request."""

    request_id: Annotated[UUID, Meta(description="As the answer names it.")]


@frozen
class SessionRequests:
    """Which requests of a session to list."""

    session_id: Annotated[UUID, Meta(description="The chat.")]
    limit: Limit = 100
    offset: Offset = 0
