"""Whether statements succeed at all: a server that answers may refuse what it is asked."""

from collections.abc import Callable
from time import monotonic

import asyncpg

WINDOW_SECONDS = 10.0
FEWEST = 10  # failures that say something

# What users' values, others' locks and a server that is busy cause: classes of SQLSTATE.
_OF_THE_MOMENT = {"22", "23", "40", "55", "57"}


class Pulse:
    """Counts what succeeds and what fails, in windows of time."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._succeeded = self._failed = 0
        self._why: str | None = None

    @property
    def why(self) -> str | None:
        """Why most of the latest statements failed, if they did."""
        self._turn_page()
        return self._why

    def succeed(self) -> None:
        """Note that a statement succeeded."""
        self._succeeded += 1

    def fail(self, error: Exception) -> None:
        """Note that one failed."""
        if _is_grave(error):
            self._turn_page()
            self._failed += 1
            if self._failed >= max(FEWEST, self._succeeded):
                self._why = f"most statements fail, the last with {type(error).__name__}"

    def _turn_page(self) -> None:
        """Begin a new window; what the last one showed stays until one shows that it is over."""
        now = self._clock()
        if now - self._since < WINDOW_SECONDS:
            return
        if self._failed <= self._succeeded:
            self._why = None
        self._since, self._succeeded, self._failed = now, 0, 0


def _is_grave(error: BaseException) -> bool:
    if isinstance(error, asyncpg.DataError):
        return False
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "")[:2] not in _OF_THE_MOMENT
    return isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError)
