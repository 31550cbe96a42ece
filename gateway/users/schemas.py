"""What administrators are told of users, and change of them."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from attrs import frozen
from msgspec import UNSET, Meta, UnsetType

from gateway.openapi.schemas import Json
from gateway.web.paging import Limit, Offset

type Role = Literal["user", "admin"]

SEARCH_LIMIT = 255  # characters


@frozen(slots=False)
class Account:
    """A user as administrators see him: nothing of what he has."""

    id: UUID
    username: str
    role: Role
    locked_at: Annotated[
        datetime | None, Meta(description="Since when he may not sign in; null: he may.")
    ]
    created_at: datetime
    updated_at: datetime


@frozen
class AccountSelection:
    """Which users to list."""

    search: (
        Annotated[
            str,
            Meta(
                max_length=SEARCH_LIMIT, description="What the name has in it, in capitals or not."
            ),
        ]
        | None
    ) = None
    limit: Limit = 100
    offset: Offset = 0


@frozen
class AccountId:
    """One user."""

    user_id: Annotated[UUID, Meta(description="Which user.")]


@frozen
class AccountChanges:
    """What to change of a user; what is left out stays."""

    example: ClassVar[Json] = {"role": "user"}

    role: Role | UnsetType = UNSET
    locked: (
        Annotated[
            bool,
            Meta(description="Whether he may sign in no more; all his sign-ins end at once then."),
        ]
        | UnsetType
    ) = UNSET
