"""Requests of all users; not what they ask, nor what is answered."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.admin.faults import NotFoundError
from gateway.admin.work.finding import find_any
from gateway.admin.work.installation import Installation
from gateway.admin.work.listing import Listed, Part, select_listed
from gateway.audit.actions import Action
from gateway.audit.noting import COMMAND, audit
from gateway.requests import queries
from gateway.requests.cancellation import end_if_open
from gateway.requests.schemas import ChatRequest
from shared.notifications.bus import Notifications


@frozen(slots=False)
class ListedRequest:
    """A request among others."""

    request_id: UUID
    username: str
    session_id: UUID
    status: str
    created_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    deadline: datetime
    bridge_id: UUID | None
    error: str | None


@frozen(kw_only=True)
class Filter:
    """Which requests to list."""

    user: str | None
    session_id: UUID | None
    statuses: Sequence[str]
    since: timedelta | None


async def select_requests(
    connection: Connection, wanted: Filter, part: Part
) -> Listed[ListedRequest]:
    """Requests of these statuses, newest first. Raises NotFoundError: there is no such user."""
    sql = """
        SELECT requests.id AS request_id, username, session_id, status, requests.created_at,
               sent_at, ended_at, deadline, bridge_id, error
        FROM requests JOIN users ON users.id = creator_id
        WHERE status = ANY(CAST(:statuses AS text[]))
          AND (CAST(:owner AS uuid) IS NULL OR creator_id = :owner)
          AND (CAST(:session_id AS uuid) IS NULL OR session_id = :session_id)
          AND (CAST(:since AS interval) IS NULL OR requests.created_at > now() - :since)
        ORDER BY position DESC LIMIT :limit OFFSET :offset
    """
    values = {
        "owner": await find_any(connection, wanted.user),
        "session_id": wanted.session_id,
        "statuses": list(wanted.statuses),
        "since": wanted.since,
    }
    return await select_listed(connection, ListedRequest, sql, values, part)


async def cancel_all(on: Installation, request_ids: Sequence[UUID]) -> Listed[ChatRequest]:
    """Cancel them as their owners would; those that have ended stay as they are.

    Raises NotFoundError before any is cancelled where one does not exist.
    """
    async with on.connection() as connection:
        owners = [await select_owner(connection, id_) for id_ in request_ids]
    async with on.notifications() as notifications:
        cancelled = [
            await _cancel(on, notifications, owner, id_)
            for owner, id_ in zip(owners, request_ids, strict=True)
        ]
    return Listed([each for each in cancelled if each is not None])


async def _cancel(
    on: Installation, notifications: Notifications, owner: UUID, request_id: UUID
) -> ChatRequest | None:
    """Cancel one, and have that noted if it was open."""
    async with on.acting() as connection:
        if await end_if_open(connection, notifications, owner, request_id):
            action = Action.REQUEST_CANCELLED
            await audit(connection, COMMAND, action, object_id=request_id, owner_id=owner)
        return await queries.select_request(connection, owner, request_id)


async def select_owner(connection: Connection, request_id: UUID) -> UUID:
    """Whose request it is. Raises NotFoundError."""
    sql = "SELECT creator_id FROM requests WHERE id = :id"
    owner: UUID | None = await connection.fetch_val(sql, {"id": request_id})
    if owner is None:
        raise NotFoundError(f"There is no request {request_id}.")
    return owner
