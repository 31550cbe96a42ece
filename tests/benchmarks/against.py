"""Services of another commit beside ours, turn by turn: what became dearer, or cheaper.

Only gateway and bridge are the other commit's, and its tables; load, agents and router are ours.
A scenario that can be measured so has `measure_against`, and its targets in `AGAINST`.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence

from attrs import frozen

from tests.benchmarks.checkouts import checked_out
from tests.benchmarks.installation import LOAD, STUB, Bench, Installation
from tests.benchmarks.load import Load, Work, run_load
from tests.benchmarks.results import Row

STANDS_IN = {STUB, LOAD, "router"}


@frozen
class Beside:
    """What both did, round by round: ours, and the other commit's."""

    pairs: Sequence[tuple[Load, Load]]

    def rows(self, name: str, what: str, of_each: int = 1) -> Iterator[Row]:
        """The rates of the `of_each` things in a piece of work, and what one takes.

        The floor is the other commit. CPU is of the services and their stores; what each part
        spent is of all rounds.
        """
        ours, theirs = (sum(side[1:], start=side[0]) for side in zip(*self.pairs, strict=True))
        rate = self._middle(lambda load: of_each * load.per_second)
        yield Row(f"{name}: {what}", rate[0], "/s", rate[1], ours.cpu(of_each))
        yield Row(f"{name}: p50", *_with_unit("ms", self._middle(lambda load: load.ms(50))))
        spent = self._middle(lambda load: _cpu(load, of_each))
        yield Row(f"{name}: CPU for each", *_with_unit("ms", spent))
        yield Row(
            f"{name}: {what}, before", of_each * theirs.per_second, "/s", cpu=theirs.cpu(of_each)
        )

    def _middle(self, figure: Callable[[Load], float]) -> tuple[float, float]:
        """Both in the round whose ratio is the middle one: others use the machine, too."""
        figures = [(figure(ours), figure(theirs)) for ours, theirs in self.pairs]
        return sorted(figures, key=lambda pair: pair[0] / pair[1])[len(figures) // 2]


def _with_unit(unit: str, pair: tuple[float, float]) -> tuple[float, str, float]:
    ours, theirs = pair
    return ours, unit, theirs


def _cpu(load: Load, of_each: int) -> float:
    """What the services and their stores spend; all else stands in for others."""
    parts = load.cpu(of_each).items()
    return sum(spent for part, spent in parts if part not in STANDS_IN)


@frozen
class Sides:
    """Our installation, and one of another commit with the same data."""

    now: Installation
    before: Installation

    async def measure(
        self, ours: Sequence[Work], theirs: Sequence[Work], *, seconds: float, rounds: int
    ) -> Beside:
        """Both, in each round in such turns that what changes steadily changes nothing."""

        def run(workers: Sequence[Work], side: Installation) -> Awaitable[Load]:
            return run_load(workers, seconds, side)

        pairs = []
        for _ in range(rounds):
            first = await run(ours, self.now)
            both = await run(theirs, self.before) + await run(theirs, self.before)
            pairs.append((first + await run(ours, self.now), both))
        return Beside(pairs)


def start_sides(bench: Bench, commit: str) -> Sides:
    """Start both; they end with the scenario."""
    checkout = bench.scenario.enter_context(checked_out(bench, commit))
    before = bench.start(checkout=checkout)
    return Sides(bench.start(), before)
