"""Asking over HTTP: what is not accepted is answered as an error of the API."""

from collections.abc import Callable

from gateway.state import State
from gateway.streams.asking import Accepted, NotAcceptedError, Question, TooManyOpenError, ask
from gateway.web.errors import ApiError, BadRequestError, TooManyRequestsError
from gateway.web.refusals import TOO_MANY_MESSAGES


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
    except NotAcceptedError as error:
        raise refuse(error) from None
