"""Which log entries to list."""

from typing import Annotated
from uuid import UUID

from attrs import frozen
from msgspec import Meta


@frozen
class LogSelection:
    """Exactly one of the two."""

    request_id: Annotated[UUID, Meta(description="The entries of this request.")] | None = None
    session_id: Annotated[UUID, Meta(description="The entries of this session.")] | None = None
