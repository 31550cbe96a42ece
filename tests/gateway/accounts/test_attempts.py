"""Counting attempts over a line to Redis that fails and comes back."""

import asyncio
import math
from collections.abc import AsyncIterator
from uuid import uuid4

import attrs
import pytest
from redis.asyncio import Redis

from devstack.valkey import ValkeyServer
from gateway.accounts.attempts import Attempts, Bound, TooManyAttemptsError
from shared.settings.installation import Settings
from tests.shared.line import Line, run_line

AT_ONCE = 20


@pytest.fixture
async def line(valkey: ValkeyServer) -> AsyncIterator[Line]:
    async with run_line(valkey.port) as line:
        yield line


@pytest.fixture
async def attempts(settings: Settings, valkey: ValkeyServer, line: Line) -> AsyncIterator[Attempts]:
    url = valkey.url.replace(f":{valkey.port}", f":{line.port}")
    attempts = Attempts(attrs.evolve(settings, redis_url=url))
    yield attempts
    await attempts.close()


@pytest.fixture
def bound(attempts: Attempts) -> Bound:
    return Bound(attempts.name(str(uuid4())), 1000)


async def take_at_once(attempts: Attempts, bound: Bound) -> None:
    await asyncio.gather(*(attempts.take([bound]) for _ in range(AT_ONCE)))


async def count_of(valkey: ValkeyServer, bound: Bound) -> int:
    async with Redis.from_url(valkey.url) as redis:
        return int(await redis.get(bound.name) or 0)


@pytest.mark.parametrize("fault", ["cut", "stalled"])
async def test_attempts_are_counted_in_redis_again_once_it_answers(
    attempts: Attempts, bound: Bound, valkey: ValkeyServer, line: Line, fault: str
) -> None:
    await take_at_once(attempts, bound)
    if fault == "cut":
        await line.cut()
    else:
        line.stall()
    await take_at_once(attempts, bound)
    await line.mend()
    before = await count_of(valkey, bound)
    attempts._away_until = 0
    await take_at_once(attempts, bound)
    # What was on its way into the fault may have arrived or not.
    assert before + AT_ONCE <= await count_of(valkey, bound) <= before + 2 * AT_ONCE


async def test_attempts_that_were_given_up_leave_nobody_another_s_answer(
    attempts: Attempts,
) -> None:
    bounds = [Bound(attempts.name(str(uuid4())), 1000) for _ in range(2 * AT_ONCE)]
    given_up = [asyncio.create_task(attempts.take([bound])) for bound in bounds[:AT_ONCE]]
    await asyncio.wait(given_up, return_when=asyncio.FIRST_COMPLETED)
    for task in given_up:
        task.cancel()
    await asyncio.gather(*given_up, return_exceptions=True)
    taken = await asyncio.gather(*(attempts.take([bound]) for bound in bounds[AT_ONCE:]))
    assert taken == [[bound.name] for bound in bounds[AT_ONCE:]]


@pytest.mark.parametrize("is_away", [False, True], ids=["in Redis", "here"])
async def test_a_bound_may_have_a_window_of_its_own(attempts: Attempts, is_away: bool) -> None:
    if is_away:
        attempts._away_until = math.inf
    short, long = [attempts.name(str(uuid4())) for _ in range(2)]
    bounds = [Bound(short, 2, seconds=100), Bound(long, 1, seconds=5000)]
    await attempts.take(bounds)
    with pytest.raises(TooManyAttemptsError) as caught:
        await attempts.take(bounds)
    assert 4900 < caught.value.seconds <= 5000
    await attempts.take(bounds[:1])
    with pytest.raises(TooManyAttemptsError) as caught:
        await attempts.take(bounds[:1])
    assert 50 < caught.value.seconds <= 100
