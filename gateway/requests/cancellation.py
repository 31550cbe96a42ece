"""Cancelling a request: it ends here and now, and whichever bridge runs it is told to stop.

The bridge need not hear it: whatever it still gets for the request, it can no longer end it.
"""

from uuid import UUID

from databases.core import Connection

from gateway.requests.queries import select_open_request, select_request
from gateway.requests.schemas import ChatRequest
from shared.domain.endings import end_request, failed
from shared.notifications.channels import CANCELLED_REQUESTS
from shared.notifications.formats import encode_cancelled
from shared.notifications.holding import Publisher

CANCELLED = "The request was cancelled"


async def cancel(
    connection: Connection, notifications: Publisher, owner: UUID, request_id: UUID
) -> ChatRequest | None:
    """End the owner's request if it is open, and return it as it is then; None: no such one."""
    await end_if_open(connection, notifications, owner, request_id)
    return await select_request(connection, owner, request_id)


async def end_if_open(
    connection: Connection, notifications: Publisher, owner: UUID, request_id: UUID
) -> bool:
    """End the owner's request if it is open; False: it is not, or there is no such one."""
    while request := await select_open_request(connection, owner, request_id):
        # Not so where a bridge has claimed, given back or ended it in the same moment.
        if await end_request(connection, notifications, request, failed(CANCELLED, "cancelled")):
            if request.claim_id is not None:
                notifications.publish(CANCELLED_REQUESTS, encode_cancelled(request.claim_id))
            return True
    return False
