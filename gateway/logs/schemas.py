"""Which log entries to list."""

from uuid import UUID

from attrs import frozen


@frozen
class LogSelection:
    """Exactly one of the two."""

    request_id: UUID | None = None
    session_id: UUID | None = None
