"""Which log entries to list."""

from typing import Annotated
from uuid import UUID

from attrs import frozen
from msgspec import Meta

from gateway.web.paging import MOST, Limit, Offset

_OR = "The entries of this {}; required unless `{}_id` is given, and not together with it."


@frozen
class LogSelection:
    """Exactly one of the first two."""

    request_id: Annotated[UUID, Meta(description=_OR.format("request", "session"))] | None = None
    session_id: Annotated[UUID, Meta(description=_OR.format("session", "request"))] | None = None
    agent_id: (
        Annotated[str, Meta(max_length=255, description="Only entries of this agent.")] | None
    ) = None
    limit: Limit = MOST
    offset: Offset = 0
