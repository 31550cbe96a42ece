"""What several callers want is done at once, and each gets his own result or error."""

import asyncio

import pytest

from shared.postgres.pool import DatabaseAwayError
from shared.process.batching import Batcher


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


async def test_what_takes_longer_than_one_is_patient_holds_up_nobody() -> None:
    may_go_on = asyncio.Event()
    given: list[list[int]] = []

    async def hang(numbers: list[int]) -> list[int]:
        given.append(numbers)
        if 1 in numbers:
            await may_go_on.wait()
        return numbers

    group = Batcher(hang, 10, patience=0)
    hanging = asyncio.create_task(group.do(1))
    await asyncio.sleep(0)
    assert await asyncio.gather(*map(group.do, [2, 3])) == [2, 3]
    assert await group.do(4) == 4
    assert not hanging.done()
    may_go_on.set()
    assert (await hanging, await group.do(5)) == (1, 5)
    assert given == [[1], [2, 3], [4], [5]]
