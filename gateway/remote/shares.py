"""Slots for what several owners want done: whoever wants much leaves room for the others."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from uuid import UUID
from weakref import WeakValueDictionary

AT_A_TIME = 8
AT_A_TIME_PER_OWNER = 4


class Shares[Job: Hashable]:
    """Jobs that are each done once for all who want it, when the turn of one of them comes.

    Not more of one owner has a slot, or waits for one, than its share: who wants one thing waits
    for a few jobs of each of the others, and not for all that they want.
    """

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        work: Callable[[Job], Awaitable[None]],
        at_a_time: int = AT_A_TIME,
        per_owner: int = AT_A_TIME_PER_OWNER,
    ) -> None:
        """`work` does a job; what it raises ends the group."""
        self._tasks = tasks
        self._work = work
        self._slots = asyncio.Semaphore(at_a_time)
        self._per_owner = per_owner
        self._shares = WeakValueDictionary[UUID, asyncio.Semaphore]()  # of who wants something
        self._wanted = set[Job]()
        self._worked_on = set[Job]()
        self._waiting = set[tuple[Job, UUID]]()

    def want(self, job: Job, owner: UUID) -> None:
        """Have a job done for an owner, unless that is going on."""
        if job in self._worked_on:
            return
        self._wanted.add(job)
        if (job, owner) not in self._waiting:
            self._waiting.add((job, owner))
            share = self._shares.setdefault(owner, asyncio.Semaphore(self._per_owner))
            self._tasks.create_task(self._take_turn(job, owner, share))

    async def _take_turn(self, job: Job, owner: UUID, share: asyncio.Semaphore) -> None:
        async with share, self._slots:
            self._waiting.discard((job, owner))
            if job not in self._wanted:  # it was done for another owner
                return
            self._wanted.discard(job)
            self._worked_on.add(job)
            try:
                await self._work(job)
            finally:
                self._worked_on.discard(job)
