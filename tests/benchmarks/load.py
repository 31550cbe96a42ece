"""Working as many at once as there are workers, for some seconds, and what that took."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import perf_counter
from typing import Protocol

from attrs import frozen

from tests.benchmarks.installation import Spent
from tests.benchmarks.results import percentile


@frozen
class Load:
    """How long each piece of work took, all together, and the CPU milliseconds that were spent."""

    seconds: Sequence[float]
    elapsed: float
    spent: Spent

    @property
    def per_second(self) -> float:
        """Pieces of work in a second."""
        return len(self.seconds) / self.elapsed

    def ms(self, percent: float) -> float:
        """What so many percent of the work took at most, in milliseconds."""
        return 1000 * percentile(self.seconds, percent)

    def cpu(self, of_each: int = 1) -> Mapping[str, float]:
        """CPU milliseconds of each part for one of the `of_each` things in a piece of work."""
        count = len(self.seconds) * of_each
        return {name: spent / count for name, spent in self.spent.items()}

    def __add__(self, other: "Load") -> "Load":
        """Both rounds as one."""
        return Load(
            [*self.seconds, *other.seconds],
            self.elapsed + other.elapsed,
            {name: spent + other.spent[name] for name, spent in self.spent.items()},
        )


class Measured(Protocol):
    """What spends CPU time."""

    def spent(self) -> Spent:
        """What each part has spent."""


type Work = Callable[[], Awaitable[object]]


async def run_load(
    workers: Sequence[Work], seconds: float, installation: Measured | None = None
) -> Load:
    """Have each worker work again and again for so long; whoever has begun comes to the end."""
    took: list[float] = []
    before = installation.spent() if installation else {}
    began = perf_counter()

    async def work(worker: Work) -> None:
        while (started := perf_counter()) < began + seconds:
            await worker()
            took.append(perf_counter() - started)

    async with asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(work(worker))
    elapsed = perf_counter() - began
    after = installation.spent() if installation else {}
    return Load(took, elapsed, {name: after[name] - before[name] for name in after})


async def run_in_turn(rounds: int, *loads: Callable[[], Awaitable[Load]]) -> list[Load]:
    """Run several loads one after the other, round by round: what disturbs one disturbs all."""
    totals = [await load() for load in loads]
    for _ in range(rounds - 1):
        totals = [total + await load() for total, load in zip(totals, loads, strict=True)]
    return totals


async def rates_in_turn(
    rounds: int, system: Callable[[], Awaitable[Load]], floor: Callable[[], Awaitable[Load]]
) -> tuple[float, float]:
    """What both do in a second, in the round whose ratio is the middle one: rounds are short.

    The machine is faster or slower for seconds: the middle of each would be of different times.
    """
    rates = [((await system()).per_second, (await floor()).per_second) for _ in range(rounds)]
    return sorted(rates, key=lambda pair: pair[0] / pair[1])[rounds // 2]
