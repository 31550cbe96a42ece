"""What a measurement gives: rows of a table, with the target of each beside it."""

from collections.abc import Mapping, Sequence
from math import ceil

from attrs import field, frozen


@frozen
class Target:
    """A bound for a row's value, or for how it stands to its floor."""

    limit: float
    is_least: bool
    of_floor: bool = False

    def __str__(self) -> str:
        sign, unit = ("≥" if self.is_least else "≤"), (" × floor" if self.of_floor else "")
        return f"{sign} {self.limit:,g}{unit}"

    def is_met(self, row: "Row") -> bool:
        """Whether the row is within the bound; a ratio needs a floor."""
        measured = row.ratio if self.of_floor else row.value
        assert measured is not None, f"{row.name} has no floor"
        return measured >= self.limit if self.is_least else measured <= self.limit


def at_least(limit: float, *, of_floor: bool = False) -> Target:
    """A value, or its ratio to the floor, that may not be lower."""
    return Target(limit, is_least=True, of_floor=of_floor)


def at_most(limit: float, *, of_floor: bool = False) -> Target:
    """A value, or its ratio to the floor, that may not be higher."""
    return Target(limit, is_least=False, of_floor=of_floor)


@frozen
class Row:
    """One figure; `floor` is the same measured without what the pair adds, in the same run.

    `cpu` holds the CPU milliseconds that each process spent on one chat, log entry or call.
    """

    name: str
    value: float
    unit: str
    floor: float | None = None
    cpu: Mapping[str, float] = field(factory=dict)

    @property
    def ratio(self) -> float | None:
        """The value as a multiple of its floor."""
        return self.value / self.floor if self.floor else None


@frozen
class Result:
    """A row with the scenario that it is of, and its target if it has one."""

    scenario: str
    row: Row
    target: Target | None = None

    @property
    def verdict(self) -> str:
        """How it stands to the target."""
        if self.target is None:
            return ""
        return "holds" if self.target.is_met(self.row) else "**missed**"


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent of them don't exceed (nearest rank)."""
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]
