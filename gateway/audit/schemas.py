"""What administrators are told of the audit log, and how they ask."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from attrs import frozen
from msgspec import Meta

from gateway.audit.actions import Action
from gateway.web.paging import Limit, Offset
from shared.codec.hooks import Rule

ACTIONS = [each.value for each in Action]
TIME = {"format": "date-time"}


def _objection(action: str) -> str | None:
    return None if action in ACTIONS else f"there is no action '{action}'"


Who = Annotated[UUID, Meta(description="Who did it, or whose object it was done to.")]
What = Annotated[UUID, Meta(description="What it was done to.")]
Done = Annotated[
    str,
    Meta(description="What was done.", extra_json_schema={"enum": ACTIONS}),
    Rule(_objection),
]
Since = Annotated[
    datetime,
    Meta(description="From this time on; UTC where no offset is said.", extra_json_schema=TIME),
]
Until = Annotated[datetime, Meta(description="Before this time.", extra_json_schema=TIME)]


@frozen(slots=False)
class Entry:
    """Who did what to which object, from where. What is null nobody knows, or there is none.

    `actor` and `owner` are the names that these users have now: null of who was deleted.
    """

    id: int
    at: datetime
    action: str
    via: Annotated[
        str,
        Meta(description="`api`, `service`, `command`, or `database` where nobody has said more."),
    ]
    actor_id: UUID | None
    actor: str | None
    credential_id: Annotated[
        UUID | None, Meta(description="The sign-in, the API key or the agent that it was done by.")
    ]
    address: str
    object_id: UUID | None
    owner_id: UUID | None
    owner: str | None
    details: dict[str, Any]


@frozen
class EntryPage:
    """Which entries to list, the newest first; without a filter all."""

    user_id: Who | None = None
    object_id: What | None = None
    action: Done | None = None
    since: Since | None = None
    until: Until | None = None
    limit: Limit = 100
    offset: Offset = 0
