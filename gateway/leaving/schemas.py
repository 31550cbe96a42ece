"""What clients send to delete accounts, and to ask how far that is."""

from typing import Annotated, ClassVar
from uuid import UUID

from attrs import field, frozen
from msgspec import Meta

from gateway.accounts.schemas import EXAMPLE_USER
from gateway.openapi.schemas import Json
from gateway.web.paging import Limit, Offset


@frozen
class Farewell:
    """The password of who deletes his account, if he has one."""

    example: ClassVar[Json] = {"password": EXAMPLE_USER["password"]}

    password: (
        Annotated[str, Meta(description="As it is; null where the account has none.")] | None
    ) = field(default=None, repr=False)


@frozen
class DeletionPage:
    """Which deletions to list."""

    limit: Limit = 100
    offset: Offset = 0


@frozen
class WhoLeaves:
    """An account that is being deleted, or was."""

    user_id: Annotated[UUID, Meta(description="Whose account.")]
