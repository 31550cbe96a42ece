"""What several callers want is done at once, and each gets his own result or error."""

import asyncio
from uuid import uuid4

import pytest

from agent_bridge.batching import Batcher
from agent_bridge.requests import ending as ending_module
from agent_bridge.requests.claim_queries import ClaimedRequest
from agent_bridge.requests.ending import Endings
from shared.domain.endings import Ending, Outcome
from shared.notifications.bus import Notifications
from shared.postgres.pool import DatabaseAwayError, create_database
from shared.redis.servers import create_redis
from shared.settings.installation import Settings
from shared.settings.reading import read_settings


class Work:
    """Doubles numbers when it is let go on; notes which it was given together."""

    def __init__(self) -> None:
        self.given: list[list[int]] = []
        self.begun = asyncio.Event()
        self.may_go_on = asyncio.Event()

    async def double(self, numbers: list[int]) -> list[int]:
        self.given.append(numbers)
        self.begun.set()
        await self.may_go_on.wait()
        return [2 * number for number in numbers]


async def _begin(work: Work, group: Batcher[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    """The first is being done, and the others wait."""
    first = asyncio.create_task(group.do(numbers[0]))
    await work.begun.wait()
    others = [asyncio.create_task(group.do(number)) for number in numbers[1:]]
    await asyncio.sleep(0)
    return [first, *others]


async def test_those_who_come_meanwhile_are_served_together() -> None:
    work = Work()
    tasks = await _begin(work, Batcher(work.double, 10), 1, 2, 3)
    work.may_go_on.set()
    assert await asyncio.gather(*tasks) == [2, 4, 6]
    assert work.given == [[1], [2, 3]]


async def test_no_more_than_so_many_are_served_together() -> None:
    work = Work()
    tasks = await _begin(work, Batcher(work.double, 2), 1, 2, 3, 4)
    work.may_go_on.set()
    assert await asyncio.gather(*tasks) == [2, 4, 6, 8]
    assert work.given == [[1], [2, 3], [4]]


async def test_who_has_gone_is_not_served() -> None:
    work = Work()
    tasks = await _begin(work, Batcher(work.double, 10), 1, 2, 3)
    tasks[1].cancel()
    work.may_go_on.set()
    assert await tasks[2] == 6
    assert work.given == [[1], [3]]


async def test_who_goes_while_he_is_served_disturbs_nobody() -> None:
    work = Work()
    group = Batcher(work.double, 10)
    [going] = await _begin(work, group, 1)
    going.cancel()
    work.may_go_on.set()
    assert await group.do(2) == 4
    assert work.given == [[1], [2]]


async def test_a_thing_that_fails_fails_alone() -> None:
    async def halve(numbers: list[int]) -> list[int]:
        if any(number % 2 for number in numbers):
            raise ValueError("odd")
        return [number // 2 for number in numbers]

    group = Batcher(halve, 10)
    wanted = [group.do(number) for number in (2, 3, 4)]
    first, second, third = await asyncio.gather(*wanted, return_exceptions=True)
    assert (first, third) == (1, 2)
    assert isinstance(second, ValueError)


async def test_while_postgresql_is_away_nobody_is_tried_alone() -> None:
    tries = []

    async def fail(numbers: list[int]) -> list[int]:
        tries.append(numbers)
        raise DatabaseAwayError

    group = Batcher(fail, 10, nobodys=(DatabaseAwayError,))
    errors = await asyncio.gather(group.do(1), group.do(2), return_exceptions=True)
    assert [type(error) for error in errors] == [DatabaseAwayError, DatabaseAwayError]
    assert tries == [[1, 2]]
    with pytest.raises(DatabaseAwayError):
        await group.do(3)


async def test_answers_that_could_not_be_stored_together_are_stored_alone(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    async def end_all(_: Endings, endings: list[Ending]) -> list[bool]:
        tries.append(len(endings))
        if len(endings) > 1:
            raise DatabaseAwayError("one of the sessions is locked")
        return [True]

    monkeypatch.setattr(Endings, "end_now", end_all)
    monkeypatch.setattr(ending_module, "RETRY_SECONDS", 0)
    settings = read_settings(environment, Settings)
    endings = Endings(create_database(settings), Notifications(create_redis(settings)))
    outcome = Outcome("answered", {})
    await asyncio.gather(*(endings.end(_claimed(), outcome) for _ in range(3)))
    assert tries == [3, 1, 1, 1]


def _claimed() -> ClaimedRequest:
    return ClaimedRequest(
        id=uuid4(),
        claim_id=uuid4(),
        session_id=uuid4(),
        creator_id=uuid4(),
        message="hello",
        config_name=None,
        provider_name=None,
        file_ids=[],
        seconds_left=60.0,
        waited=0.0,
        traceparent=None,
        message_id=None,
        has_flows=False,
        overrides=None,
        asked_id=None,
    )
