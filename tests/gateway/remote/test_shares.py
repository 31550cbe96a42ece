"""Who has a slot, where several owners want more than there are."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from gateway.remote.shares import AT_A_TIME, AT_A_TIME_PER_OWNER, Shares

GREEDY, OTHER, THIRD = uuid4(), uuid4(), uuid4()
MANY = [f"one of many {number}" for number in range(10 * AT_A_TIME)]


class Jobs:
    """Jobs that are worked on until they are ended."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self.shares = Shares(tasks, self._work)
        self.begun: list[str] = []
        self._ends = defaultdict[str, asyncio.Event](asyncio.Event)
        self._is_over = False

    async def _work(self, job: str) -> None:
        self.begun.append(job)
        if not self._is_over:
            await self._ends[job].wait()
            del self._ends[job]

    async def want(self, owner: object, *wanted: str) -> None:
        """An owner wants these."""
        for job in wanted:
            self.shares.want(job, owner)  # type: ignore[arg-type]
        await settle()

    async def end(self, job: str) -> None:
        """Have it done, and give its slot to who waits for one."""
        self._ends[job].set()
        await settle()

    def end_all(self) -> None:
        """Have all done that was begun, and what begins from now on at once."""
        self._is_over = True
        for end in self._ends.values():
            end.set()


async def settle() -> None:
    """Let all go on that waits for nobody else."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def jobs() -> AsyncIterator[Jobs]:
    async with asyncio.TaskGroup() as tasks:
        jobs = Jobs(tasks)
        yield jobs
        jobs.end_all()


async def test_who_wants_much_has_only_a_share_of_the_slots(jobs: Jobs) -> None:
    await jobs.want(GREEDY, *MANY)
    assert jobs.begun == MANY[:AT_A_TIME_PER_OWNER]
    await jobs.want(OTHER, "mine", "mine too")
    assert jobs.begun[AT_A_TIME_PER_OWNER:] == ["mine", "mine too"]
    await jobs.end("mine")
    await jobs.end(MANY[0])
    assert jobs.begun[-1] == MANY[AT_A_TIME_PER_OWNER]


async def test_who_comes_last_waits_for_a_share_of_each_and_not_for_all_that_they_want(
    jobs: Jobs,
) -> None:
    await jobs.want(GREEDY, *MANY)
    await jobs.want(OTHER, *(f"other {job}" for job in MANY))
    assert len(jobs.begun) == AT_A_TIME
    await jobs.want(THIRD, "mine")
    await jobs.end(MANY[0])
    assert jobs.begun[-1] == "mine"


async def test_what_several_want_is_done_once_when_the_first_of_them_has_a_turn(
    jobs: Jobs,
) -> None:
    await jobs.want(GREEDY, *MANY, "shared")
    await jobs.want(OTHER, "shared")
    assert jobs.begun[-1] == "shared"
    await jobs.end("shared")
    jobs.end_all()
    await settle()
    assert jobs.begun.count("shared") == 1


async def test_what_is_worked_on_or_waited_for_is_not_wanted_twice(jobs: Jobs) -> None:
    for _ in range(3):
        await jobs.want(GREEDY, *MANY)
    jobs.end_all()
    await settle()
    while len(jobs.begun) < len(MANY):
        await settle()
    await settle()
    assert sorted(jobs.begun) == sorted(MANY)


async def test_what_was_done_can_be_wanted_again(jobs: Jobs) -> None:
    for _ in range(2):
        await jobs.want(OTHER, "mine")
        await jobs.end("mine")
    assert jobs.begun == ["mine", "mine"]
