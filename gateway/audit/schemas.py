"""What administrators are told of the audit log, and how they ask."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from attrs import frozen
from msgspec import Meta

from gateway.audit.actions import Action
from gateway.web.paging import Limit, Offset

type ActionName = Literal[*(each.value for each in Action)]  # type: ignore[valid-type]


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

    user_id: Annotated[
        UUID | None, Meta(description="Who did it, or whose object it was done to.")
    ] = None
    object_id: Annotated[UUID | None, Meta(description="What it was done to.")] = None
    action: Annotated[ActionName | None, Meta(description="What was done.")] = None
    since: Annotated[
        datetime | None, Meta(description="From this time on (ISO 8601; UTC if no zone is said).")
    ] = None
    until: Annotated[datetime | None, Meta(description="Before this time.")] = None
    limit: Limit = 100
    offset: Offset = 0
