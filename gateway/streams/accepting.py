"""Asking over HTTP: what is not accepted is answered as an error of the API."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from gateway.state import State
from gateway.streams.asking import (
    Accepted,
    BudgetSpentError,
    NotAcceptedError,
    TooManyOpenError,
    ask,
)
from gateway.streams.questions import Question
from gateway.web.errors import ApiError, BadRequestError, QuotaSpentError, TooManyRequestsError
from gateway.web.refusals import BUDGET_SPENT, TOO_MANY_MESSAGES


def _refuse(error: NotAcceptedError) -> ApiError:
    return BadRequestError(str(error))


async def accept(
    state: State, question: Question, refuse: Callable[[NotAcceptedError], ApiError] = _refuse
) -> Accepted:
    """Store the question. Raises TooManyRequestsError, or what `refuse` makes of other reasons."""
    try:
        return await ask(state, question)
    except TooManyOpenError as error:
        raise TooManyRequestsError(str(error), 1, TOO_MANY_MESSAGES) from None
    except BudgetSpentError as error:
        seconds = _seconds_of_month(datetime.now(UTC))
        raise QuotaSpentError(str(error), seconds, BUDGET_SPENT) from None
    except NotAcceptedError as error:
        raise refuse(error) from None


def _seconds_of_month(now: datetime) -> int:
    """How many are left of it."""
    begin = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    next_begin = (begin + timedelta(days=32)).replace(day=1)
    return int((next_begin - now).total_seconds()) + 1
