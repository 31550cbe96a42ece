"""A server that refuses most of what it is asked is noticed; what users do wrong is not."""

import asyncpg
import pytest

from shared.postgres.pulse import FEWEST, WINDOW_SECONDS, Pulse

GRAVE = asyncpg.InvalidSQLStatementNameError()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pulse(clock: Clock) -> Pulse:
    return Pulse(clock)


def fail(pulse: Pulse, error: Exception = GRAVE, times: int = FEWEST) -> None:
    for _ in range(times):
        pulse.fail(error)


def succeed(pulse: Pulse, times: int) -> None:
    for _ in range(times):
        pulse.succeed()


def test_it_is_good_at_first(pulse: Pulse) -> None:
    assert pulse.why is None


def test_statements_that_all_fail_are_named(pulse: Pulse) -> None:
    fail(pulse)
    assert pulse.why == "most statements fail, the last with InvalidSQLStatementNameError"


def test_a_few_say_nothing(pulse: Pulse) -> None:
    fail(pulse, times=FEWEST - 1)
    assert pulse.why is None


def test_one_that_succeeds_among_many_that_fail_changes_nothing(pulse: Pulse) -> None:
    succeed(pulse, 1)
    fail(pulse, times=248)
    assert pulse.why is not None


def test_some_that_fail_among_many_that_succeed_say_nothing(pulse: Pulse) -> None:
    succeed(pulse, FEWEST + 1)
    fail(pulse, times=FEWEST)
    assert pulse.why is None


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UniqueViolationError(),
        asyncpg.DataError(),
        asyncpg.exceptions.NumericValueOutOfRangeError(),
        asyncpg.DeadlockDetectedError(),
        asyncpg.LockNotAvailableError(),
        asyncpg.QueryCanceledError(),
        TimeoutError(),
        LookupError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_users_send_or_others_hold_says_nothing(pulse: Pulse, error: Exception) -> None:
    fail(pulse, error)
    assert pulse.why is None


def test_it_is_good_again_when_statements_succeed(pulse: Pulse, clock: Clock) -> None:
    fail(pulse)
    clock.now += WINDOW_SECONDS
    assert pulse.why is not None  # nothing was asked since
    succeed(pulse, 1)
    clock.now += WINDOW_SECONDS
    assert pulse.why is None


def test_successes_of_long_ago_hide_no_failures(pulse: Pulse, clock: Clock) -> None:
    succeed(pulse, 10_000)
    clock.now += WINDOW_SECONDS
    fail(pulse)
    assert pulse.why is not None
