"""What clients send about groups and what is shared with them, and what they are told."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from attrs import frozen
from msgspec import Meta

from gateway.openapi.schemas import Json
from gateway.web.examples import AGENT_ID, MARK
from gateway.web.paging import Limit, Offset
from gateway.web.texts import is_blank
from shared.codec.hooks import Rule

NAME_LIMIT = 255  # characters

type MemberRole = Literal["invited", "member", "manager"]
type SharedKind = Literal["agent", "flow", "config", "mcp_server", "a2a_agent"]


def _must_be_seen(field: str) -> Callable[[str], str | None]:
    return lambda text: f"'{field}' must not be empty" if is_blank(text) else None


GroupName = Annotated[
    str, Meta(min_length=1, max_length=NAME_LIMIT, pattern=r"\S"), Rule(_must_be_seen("name"))
]
OwnRole = Annotated[
    MemberRole,
    Meta(
        description="Who is `invited` becomes a `member` when he accepts it, and uses nothing of "
        "the group before. A `manager` changes the group and its members."
    ),
]


@frozen
class NewGroup:
    """A group to make; who makes it is its manager."""

    example: ClassVar[Json] = {"name": "Weather team"}

    name: GroupName


@frozen
class GroupChanges:
    """What a group is called from now on."""

    example: ClassVar[Json] = {"name": "Climate team"}

    name: GroupName


@frozen(slots=False)
class Group:
    """A group, and what the caller is in it."""

    id: UUID
    name: str
    role: OwnRole
    members: Annotated[int, Meta(description="How many have accepted.")]
    created_at: datetime
    updated_at: datetime


@frozen
class GroupId:
    """One group."""

    group_id: Annotated[UUID, Meta(description="Which group.")]


@frozen
class GroupPage:
    """Which of the groups to list that the user is in, or invited to."""

    limit: Limit = 100
    offset: Offset = 0


@frozen
class NewMember:
    """Somebody to invite, by the name that he logs in with."""

    example: ClassVar[Json] = {"username": f"ada-{MARK}"}

    username: Annotated[str, Meta(max_length=NAME_LIMIT)]


@frozen
class MemberChanges:
    """What a member is from now on."""

    example: ClassVar[Json] = {"role": "manager"}

    role: Literal["member", "manager"]


@frozen(slots=False)
class GroupMember:
    """Somebody in a group, or invited to it."""

    user_id: UUID
    username: str
    role: OwnRole
    created_at: datetime


@frozen
class MemberId(GroupId):
    """Somebody in a group."""

    user_id: Annotated[UUID, Meta(description="Which user.")]


@frozen
class MemberPage(GroupId):
    """Which of a group's members to list."""

    limit: Limit = 100
    offset: Offset = 0


@frozen
class NewShare:
    """What of the caller's the others in the group are to use."""

    example: ClassVar[Json] = {"kind": "agent", "id": AGENT_ID}

    kind: SharedKind
    id: UUID


@frozen(slots=False)
class Share:
    """Something that is shared with a group; `target_id` is its own id."""

    id: UUID
    group_id: UUID
    group: Annotated[str, Meta(description="The name of the group.")]
    kind: SharedKind
    target_id: UUID
    name: str
    owner: Annotated[str, Meta(description="The name of whom it belongs to.")]
    created_at: datetime


@frozen
class ShareId(GroupId):
    """Something that is shared with a group."""

    share_id: Annotated[UUID, Meta(description="Which share.")]


@frozen
class GroupSharePage(GroupId):
    """Which of what is shared with a group to list."""

    limit: Limit = 100
    offset: Offset = 0


@frozen
class SharePage:
    """Which of what others share with the user to list."""

    limit: Limit = 100
    offset: Offset = 0
