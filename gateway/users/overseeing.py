"""What administrators are told of users' sign-ins, API keys, requests and agents: no secret, and
nothing that was asked or answered."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from attrs import frozen
from msgspec import Meta

from gateway.requests.schemas import Status
from gateway.web.paging import Limit, Offset

UserId = Annotated[UUID, Meta(description="Which user.")]
OfUser = Annotated[UUID, Meta(description="Only this user's.")]


@frozen(slots=False)
class UserSignIn:
    """Where somebody is signed in."""

    id: UUID
    username: str
    method: str
    device: str
    address: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime


@frozen(slots=False)
class UserKey:
    """An API key: how it begins, and what it is for."""

    id: UUID
    username: str
    name: str
    start: str
    scopes: list[str]
    networks: list[str]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    used_address: str | None


@frozen(slots=False)
class UserRequest:
    """A request among those of all users."""

    request_id: UUID
    username: str
    session_id: UUID
    status: str
    created_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    deadline: datetime
    bridge_id: UUID | None
    error: str | None


@frozen(slots=False)
class UserAgent:
    """An agent among those of all users, and where it is connected."""

    agent_id: UUID
    alias: str
    username: str
    is_connected: bool
    via: Annotated[str | None, Meta(description="`door` or `router`; null: it is not connected.")]
    bridge_id: UUID | None
    connected_at: datetime | None
    updated_at: datetime


@frozen
class UserPage:
    """A user, and which part of a list of his."""

    user_id: UserId
    limit: Limit = 100
    offset: Offset = 0


@frozen
class UserSignInId:
    """A sign-in of a user."""

    user_id: UserId
    sign_in_id: Annotated[UUID, Meta(description="The id of the sign-in.")]


@frozen
class UserKeyId:
    """An API key of a user."""

    user_id: UserId
    key_id: Annotated[UUID, Meta(description="The id of the key; not the key itself.")]


@frozen
class UserRequestSelection:
    """Which requests to list; of all users those that are open, and no others."""

    user_id: OfUser | None = None
    session_id: Annotated[UUID, Meta(description="Only of this chat.")] | None = None
    status: (
        Annotated[
            Literal[
                "open",
                "queued",
                "running",
                "answered",
                "failed",
                "timed_out",
                "cancelled",
                "interrupted",
            ],
            Meta(description="Only these; `open` are those that wait or run."),
        ]
        | None
    ) = None
    limit: Limit = 100
    offset: Offset = 0


@frozen
class UserAgentSelection:
    """Which agents to list."""

    user_id: OfUser | None = None
    connected: Annotated[bool, Meta(description="Whether to list only who is connected.")] = False
    limit: Limit = 100
    offset: Offset = 0


OPEN: tuple[Status, ...] = ("queued", "running")
ENDED: tuple[Status, ...] = ("answered", "failed", "timed_out", "cancelled", "interrupted")
