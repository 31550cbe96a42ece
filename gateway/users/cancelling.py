"""Cancelling a user's request by somebody else, which is noted."""

from uuid import UUID

from databases.core import Connection

from gateway.audit.actions import Action
from gateway.audit.noting import Actor, audit
from gateway.requests.cancellation import end_if_open
from gateway.requests.queries import select_request
from gateway.requests.schemas import ChatRequest
from shared.notifications.holding import Publisher


async def cancel_as(
    actor: Actor,
    connection: Connection,
    notifications: Publisher,
    owner: UUID,
    request_id: UUID,
) -> ChatRequest | None:
    """End the owner's request and note it, if it is open; the request then, None: no such one.

    In a transaction, so that it is noted or not ended; what is published is to be held until then.
    """
    if await end_if_open(connection, notifications, owner, request_id):
        action = Action.REQUEST_CANCELLED
        await audit(connection, actor, action, object_id=request_id, owner_id=owner)
    return await select_request(connection, owner, request_id)
