"""What clients are told about requests."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from attrs import field, frozen
from msgspec import Meta

from gateway.web.paging import MOST, Limit, Offset

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

    `claimed_at` is when a bridge took it, and which one is `bridge_id`; `sent_at` when it was noted
    that the master agent, or the agent or flow `asked_id`, is invoked; `composed_at` when what that
    is sent was ready; `first_part_at` and `last_part_at` are of the parts of its answer; `ended_at`
    is when that was stored, `delivered_at` when a client was first given it; `deadline` when it is
    waited for no longer. What is not known is null. `usage` is empty where the answer says nothing
    of it.
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
    claimed_at: datetime | None
    first_part_at: datetime | None
    last_part_at: datetime | None
    composed_at: datetime | None
    delivered_at: datetime | None
    bridge_id: UUID | None
    asked_id: UUID | None
    seq: int | None


@frozen(slots=False)
class RequestDetails(ChatRequest):
    """A request with what was logged about it, and of an open one what it waits for."""

    log_entries: int
    error_entries: int
    last_logged_at: datetime | None
    waits_for: list[str] = field(factory=list)


@frozen
class RequestId:
    """One request."""

    request_id: Annotated[UUID, Meta(description="As the answer names it.")]


@frozen
class RequestSelection:
    """Which of the user's requests to list."""

    session_id: Annotated[UUID, Meta(description="Only those of this chat.")] | None = None
    status: (
        Annotated[Status | Literal["open"], Meta(description="Only these; `open` waits or runs.")]
        | None
    ) = None
    agent_id: (
        Annotated[
            UUID,
            Meta(
                description="Only those that this agent or flow was asked itself, or in which this "
                f"agent has logged something; of the newest {MOST:,} requests."
            ),
        ]
        | None
    ) = None
    limit: Limit = 100
    offset: Offset = 0
