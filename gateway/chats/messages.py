"""Accepting a message: rows first, then the notification that a request waits."""

from datetime import timedelta
from uuid import UUID

from gateway.chats import queries
from gateway.chats.closes import FOREIGN_SESSION
from gateway.chats.frames import ClientMessage
from gateway.chats.queries import Acceptance, Repeated
from gateway.chats.schemas import NEW_CHAT, TITLE_LIMIT
from gateway.state import State
from gateway.web.metrics import MESSAGES
from shared.postgres.pool import connect
from shared.telemetry.tracing import traceparent

TOO_MANY_REQUESTS = (
    "The message was not accepted: too many of your messages are waiting, please try again later."
)


class NotAcceptedError(Exception):
    """The message is not taken; the text says why."""


class TooManyOpenError(NotAcceptedError):
    """The user has as many messages that wait as there may be."""


async def accept_message(
    state: State, user_id: UUID, session_id: UUID, request_id: UUID, message: ClientMessage
) -> Repeated | None:
    """Store a message and its request, then tell the bridges.

    Returns the request of the same message where it was sent before, or None.
    Raises NotAcceptedError, DatabaseAwayError.
    """
    new = queries.NewRequest(
        request_id=request_id,
        session_id=session_id,
        owner=user_id,
        title=message.message[:TITLE_LIMIT] or NEW_CHAT,
        message=message.message,
        config_name=message.config_name,
        provider_name=message.provider or None,
        file_ids=message.files or [],
        message_id=message.message_id,
        traceparent=traceparent(),
        timeout=timedelta(seconds=state["settings"].request_timeout),
    )
    async with connect(state["database"]) as connection:
        outcome = await queries.insert_request(
            connection, new, state["settings"].open_requests_per_user
        )
        MESSAGES.labels(outcome.name.lower()).inc()
        if outcome is Acceptance.REPEATED:
            return await queries.select_repeated(connection, new)
    if outcome is Acceptance.TOO_MANY_OPEN:
        raise TooManyOpenError(TOO_MANY_REQUESTS)
    if outcome is Acceptance.FOREIGN_SESSION:
        raise NotAcceptedError(FOREIGN_SESSION)
    state["bridges"].notify(user_id, request_id)
    return None
