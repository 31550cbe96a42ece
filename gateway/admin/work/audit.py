"""The audit log, as the command shows it."""

from datetime import UTC, datetime
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.admin.faults import RefusedError
from gateway.admin.work.finding import find_user, read_id
from gateway.admin.work.listing import Listed, Part
from gateway.audit.actions import Action
from gateway.audit.queries import Wanted, select_entries
from gateway.audit.schemas import Entry
from gateway.web.paging import MOST_BYTES, Slice


@frozen
class Filter:
    """Which entries to list."""

    user: str | None = None
    object_id: UUID | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def select_audit(connection: Connection, wanted: Filter, part: Part) -> Listed[Entry]:
    """Entries, the newest first. Raises NotFoundError, RefusedError."""
    if wanted.action is not None and wanted.action not in [*Action]:
        raise RefusedError(f"There is no action {wanted.action!r}: there are {', '.join(Action)}.")
    asked = Wanted(
        user_id=await _find(connection, wanted.user),
        object_id=wanted.object_id,
        action=wanted.action,
        since=_aware(wanted.since),
        until=_aware(wanted.until),
    )
    page = await select_entries(connection, asked, Slice(part.limit, part.offset, MOST_BYTES))
    told = page.things()
    return Listed(told, part.offset + len(told) if page.has_more else None)


async def _find(connection: Connection, named: str | None) -> UUID | None:
    """Also who was deleted, by the id."""
    if named is None:
        return None
    return read_id(named) or await find_user(connection, named)


def _aware(time: datetime | None) -> datetime | None:
    return None if time is None else time.replace(tzinfo=UTC)
