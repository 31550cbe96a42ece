"""Asking: a message becomes rows first, then the bridges are told that a request waits."""

import logging
from datetime import timedelta
from typing import Literal
from uuid import UUID, uuid5

from attrs import frozen

from gateway.requests.cancellation import cancel
from gateway.state import State
from gateway.streams import asking_queries as queries
from gateway.streams.asking_queries import Acceptance, Repeated
from gateway.streams.questions import Question
from gateway.web.metrics import MESSAGES
from shared.postgres.pool import DatabaseAwayError, connect
from shared.telemetry.tracing import traceparent

logger = logging.getLogger(__name__)

FILES_LIMIT = 100  # of a message
PROMPT_LIMIT = 64 * 1024  # characters that are overridden with, as of a config's
FOREIGN_SESSION = "This session belongs to another user."
TOO_MANY_REQUESTS = (
    "The message was not accepted: too many of your messages are waiting, please try again later."
)
BUDGET_SPENT = (
    "The message was not accepted: your budget for this month is spent. The next one begins with"
    " the month, by UTC."
)
GROUP_BUDGET_SPENT = (
    "The message was not accepted: the budget of a group that you are in is spent for this month."
    " The next one begins with the month, by UTC."
)
DELETED_MEANWHILE = "The message was not accepted: its chat is being deleted, please try again."


class NotAcceptedError(Exception):
    """The message is not taken; the text says why."""

    code: Literal["not_accepted", "too_many_open", "budget_spent", "foreign_session"] = (
        "not_accepted"
    )


class TooManyOpenError(NotAcceptedError):
    """The user has as many messages that wait as there may be."""

    code = "too_many_open"


class BudgetSpentError(NotAcceptedError):
    """The user has spent what he may in this month."""

    code = "budget_spent"


class ForeignSessionError(NotAcceptedError):
    """The session is another user's."""

    code = "foreign_session"


@frozen
class Accepted:
    """A message that is stored, or was before."""

    request_id: UUID
    session_id: UUID
    message_id: UUID | None
    seq: int
    """That of its session then: all that happens to the request comes after it."""
    is_new: bool = True
    answer_seq: int | None = None
    """That of its answer, where it came again and was answered."""


def session_of(user_id: UUID, name: str) -> UUID:
    """The session that a user's client calls so: an id, or any text."""
    return _id_of(user_id, name)


def message_of(session_id: UUID, name: str) -> UUID:
    """The message that a client calls so in a session: an id, or any text."""
    return _id_of(session_id, name)


def _id_of(namespace: UUID, name: str) -> UUID:
    try:
        return UUID(name)
    except ValueError:
        return uuid5(namespace, name)


async def ask(state: State, question: Question) -> Accepted:
    """Store a message and its request, then tell the bridges.

    Raises NotAcceptedError, DatabaseAwayError.
    """
    timeout = timedelta(seconds=state["settings"].request_timeout)
    new = queries.NewRequest(question, timeout, traceparent())
    await state["heard"].until_heard(question.request_id)
    inserted = await state["storing"].store(new)
    MESSAGES.labels(inserted.acceptance.name.lower()).inc()
    match inserted.acceptance:
        case Acceptance.TOO_MANY_OPEN:
            raise TooManyOpenError(TOO_MANY_REQUESTS)
        case Acceptance.BUDGET_SPENT:
            raise BudgetSpentError(BUDGET_SPENT)
        case Acceptance.GROUP_BUDGET_SPENT:
            raise BudgetSpentError(GROUP_BUDGET_SPENT)
        case Acceptance.FOREIGN_SESSION:
            raise ForeignSessionError(FOREIGN_SESSION)
        case Acceptance.REPEATED:
            return _as_before(question, inserted.first or await _find_first(state, question))
    state["heard"].has_begun(question.request_id)
    state["bridges"].notify(question.user_id, question.request_id)
    return Accepted(question.request_id, question.session_id, question.message_id, inserted.seq)


async def give_up(state: State, user_id: UUID, accepted: Accepted) -> None:
    """End a request whose answer nobody waits for any more, if the database can be reached."""
    try:
        async with connect(state["database"]) as connection:
            await cancel(connection, state["notifications"], user_id, accepted.request_id)
    except DatabaseAwayError as error:
        logger.warning(
            "nobody waits for request %s, and it goes on: %s", accepted.request_id, error
        )


async def _find_first(state: State, question: Question) -> Repeated:
    """What the same message has begun, which came at the same moment."""
    async with connect(state["database"]) as connection:
        first = await queries.select_repeated(connection, question)
    if first is None:
        raise NotAcceptedError(DELETED_MEANWHILE)
    return first


def _as_before(question: Question, first: Repeated) -> Accepted:
    """The same message as it came before."""
    return Accepted(
        first.request_id,
        question.session_id,
        question.message_id,
        first.accepted_seq,
        is_new=False,
        answer_seq=first.answer_seq,
    )
