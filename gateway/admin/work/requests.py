"""Requests of all users; not what they ask, nor what is answered."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from attrs import frozen
from databases.core import Connection

from gateway.admin.faults import NotFoundError
from gateway.admin.work.finding import find_any
from gateway.admin.work.installation import Installation
from gateway.admin.work.listing import Listed, Part, listed
from gateway.audit.noting import COMMAND
from gateway.requests.schemas import ChatRequest
from gateway.users import overseeing_queries
from gateway.users.cancelling import cancel_as
from gateway.users.overseeing import UserRequest
from gateway.users.overseeing_queries import WantedRequests
from shared.notifications.holding import holding


@frozen(kw_only=True)
class Filter:
    """Which requests to list."""

    user: str | None
    session_id: UUID | None
    statuses: Sequence[str]
    since: timedelta | None


async def select_requests(
    connection: Connection, wanted: Filter, part: Part
) -> Listed[UserRequest]:
    """Requests of these statuses, newest first. Raises NotFoundError: there is no such user."""
    owner = await find_any(connection, wanted.user)
    named = WantedRequests(
        owner=owner,
        session_id=wanted.session_id,
        statuses=wanted.statuses,
        since=wanted.since,
    )
    return listed(await overseeing_queries.select_requests(connection, named, part.slice), part)


async def cancel_all(on: Installation, request_ids: Sequence[UUID]) -> Listed[ChatRequest]:
    """Cancel them as their owners would; those that have ended stay as they are.

    Raises NotFoundError before any is cancelled where one does not exist.
    """
    cancelled: list[ChatRequest | None] = []
    async with on.connection() as connection:
        owners = [await select_owner(connection, id_) for id_ in request_ids]
    async with on.notifications() as notifications:
        for owner, id_ in zip(owners, request_ids, strict=True):
            with holding(notifications) as held:
                async with on.acting() as connection:
                    request = await cancel_as(COMMAND, connection, held, owner, id_)
            cancelled.append(request)
    return Listed([each for each in cancelled if each is not None])


async def select_owner(connection: Connection, request_id: UUID) -> UUID:
    """Whose request it is. Raises NotFoundError."""
    owner = await overseeing_queries.select_request_owner(connection, request_id)
    if owner is None:
        raise NotFoundError(f"There is no request {request_id}.")
    return owner
