"""What clients are told of sign-ins."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from attrs import frozen
from msgspec import UNSET, Meta, UnsetType


@frozen(slots=False)
class TokenPair:
    """What a login gives; a refresh token only where it was asked for."""

    access_token: str
    refresh_token: str | None = None
    token_type: str = "Bearer"  # noqa: S105 (RFC 6750)
    expires_in: (
        Annotated[int, Meta(description="Seconds; told where there is a refresh token.")]
        | UnsetType
    ) = UNSET


@frozen(slots=False)
class SignIn:
    """Where somebody is signed in."""

    id: UUID
    method: str
    device: str
    address: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    is_current: bool


@frozen(slots=False)
class SignIns:
    """Where the user is signed in, the newest use first."""

    sign_ins: list[SignIn]


@frozen(slots=False)
class Ended:
    """How many have ended."""

    ended: int


@frozen
class SignInId:
    """One sign-in."""

    sign_in_id: Annotated[UUID, Meta(description="The id of the sign-in.")]
