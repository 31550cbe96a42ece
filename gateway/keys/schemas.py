"""What clients send about API keys, and what they are told."""

from datetime import datetime
from ipaddress import ip_network
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from attrs import field, frozen
from msgspec import Meta

from gateway.openapi.schemas import Json
from gateway.web.paging import Limit, Offset
from shared.codec.hooks import Rule

NAME_LIMIT = 100  # characters
NETWORKS_LIMIT = 32
NETWORK_LIMIT = 64  # characters
LEAST_SECONDS = 60
MOST_SECONDS = 10 * 365 * 24 * 3600

type ScopeName = Literal["chat", "read", "agents", "admin"]


def _objection(networks: list[str]) -> str | None:
    for each in networks:
        try:
            ip_network(each, strict=False)
        except ValueError:
            return f"'{each}' is no address and no network, like 192.0.2.0/24 or 2001:db8::/32"
    return None


Name = Annotated[str, Meta(min_length=1, max_length=NAME_LIMIT, description="For its owner.")]
Networks = Annotated[
    list[Annotated[str, Meta(max_length=NETWORK_LIMIT)]],
    Meta(
        max_length=NETWORKS_LIMIT,
        description="Addresses and networks (CIDR) from which it is taken; none: from everywhere.",
        extra={"error": f"'networks' may have {NETWORKS_LIMIT} addresses or networks"},
    ),
    Rule(_objection),
]
ScopeNames = Annotated[
    list[ScopeName],
    Meta(
        min_length=1,
        max_length=4,
        description="What it is for. `admin` wants an administrator.",
        extra={"error": "'scopes' must name what the key is for: chat, read, agents or admin"},
    ),
]
ExpiresIn = Annotated[
    int,
    Meta(
        ge=LEAST_SECONDS,
        le=MOST_SECONDS,
        description="For how many seconds it is good; null: until it is deleted.",
        extra={
            "error": f"'expires_in' must be {LEAST_SECONDS} to {MOST_SECONDS:,} seconds, or null"
        },
    ),
]


@frozen
class NewKey:
    """An API key to be made."""

    example: ClassVar[Json] = {"name": "my editor", "scopes": ["chat"], "expires_in": 90 * 86400}

    name: Name
    scopes: ScopeNames
    expires_in: ExpiresIn | None = None
    networks: Networks = field(factory=list)


@frozen
class KeyChanges:
    """What a key is called from now on."""

    example: ClassVar[Json] = {"name": "my other editor"}

    name: Name


@frozen(slots=False)
class ApiKey:
    """An API key without its secret; `start` is how it begins, by which one is recognised."""

    id: UUID
    name: str
    start: str
    scopes: list[ScopeName]
    networks: list[str]
    created_at: datetime
    expires_at: datetime | None
    used_at: Annotated[
        datetime | None, Meta(description="Its last use, as it was a minute ago at most.")
    ]
    used_address: str | None


@frozen(slots=False)
class CreatedKey:
    """A new API key. It is told now and never again."""

    key: Annotated[str, Meta(description="The key itself: a bearer token.")] = field(repr=False)
    id: UUID
    name: str
    start: str
    scopes: list[ScopeName]
    networks: list[str]
    created_at: datetime
    expires_at: datetime | None


@frozen
class KeyId:
    """One API key."""

    key_id: Annotated[UUID, Meta(description="The id of the key, which is not the key itself.")]


@frozen
class KeyPage:
    """Which of the user's keys to list."""

    limit: Limit = 100
    offset: Offset = 0
