"""What a process tells of itself to whoever looks at all of them at once: a few of its metrics.

Counters and distributions only grow while a process runs: who wants a rate takes two looks. Which
numbers there are differs from version to version, so their names are keys and no fields.
"""

import os
import platform
from collections import Counter as Totals
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from socket import gethostname
from typing import Annotated, Protocol
from uuid import UUID

from attrs import frozen
from databases import Database
from msgspec import Meta
from prometheus_client import PROCESS_COLLECTOR, Counter, Gauge, Histogram, Metric

from shared import VERSION
from shared.postgres.statements import DirectDatabase

PREFIX = "genai_"
OF_PROCESS = {
    "process_resident_memory_bytes": "memory_bytes",
    "process_cpu_seconds_total": "cpu_seconds",
}


@frozen(slots=False)
class Distribution:
    """How many took how long, since the process began."""

    bounds: Annotated[list[float], Meta(description="Seconds, rising.")]
    counts: Annotated[
        list[int],
        Meta(description="Those up to each bound and beyond the one before; at last all others."),
    ]
    sum: Annotated[float, Meta(description="Seconds of all of them.")]


@frozen(slots=False)
class Process:
    """One process, as it tells of itself.

    Its numbers are called as its metrics are, without `genai_`; behind a dot is a label's value.
    """

    id: Annotated[UUID, Meta(description="Another one each time that it starts.")]
    service: Annotated[str, Meta(description="`gateway` or `agent_bridge`.")]
    version: str
    python: str
    host: str
    pid: int
    address: Annotated[str, Meta(description="Where it listens, as its settings say.")]
    started_at: datetime
    told_at: datetime
    is_draining: Annotated[bool, Meta(description="Whether it goes down, and takes nothing more.")]
    gauges: Annotated[dict[str, float], Meta(description="How it is now.")]
    counters: Annotated[dict[str, float], Meta(description="How often, since it began.")]
    distributions: Annotated[dict[str, Distribution], Meta(description="How long things took.")]


class Collected(Protocol):
    """A metric of `prometheus_client`."""

    def collect(self) -> object: ...


@frozen
class Numbers:
    """Which metrics are told. Of the labels the named one is kept; others are added up."""

    gauges: Sequence[Gauge]
    counters: Mapping[Counter, str]
    distributions: Sequence[Histogram]
    database: Database

    def read(self) -> tuple[dict[str, float], dict[str, float], dict[str, Distribution]]:
        """The gauges, counters and distributions: some milliseconds of work, for any thread."""
        of_process = _read_process()
        gauges = {name: value for each in self.gauges for name, value in _gauge(each)}
        assert isinstance(self.database, DirectDatabase)
        pool = self.database.measure()
        gauges |= {
            "database_connections.idle": pool.idle,
            "database_connections.in_use": pool.in_use,
            "database_connections_most": pool.most,
        }
        gauges |= {"memory_bytes": of_process.get("memory_bytes", 0.0)}
        counters: dict[str, float] = {"cpu_seconds": of_process.get("cpu_seconds", 0.0)}
        for metric, label in self.counters.items():
            counters |= _count(metric, label)
        return gauges, counters, dict(map(_distribution, self.distributions))


@frozen
class Self:
    """The process itself: what it tells, and what of it never changes."""

    id: UUID
    service: str
    address: str
    started_at: datetime
    numbers: Numbers
    is_draining: Callable[[], bool]

    def tell(self) -> Process:
        """How it is now."""
        gauges, counters, distributions = self.numbers.read()
        return Process(
            id=self.id,
            service=self.service,
            version=VERSION,
            python=platform.python_version(),
            host=gethostname(),
            pid=os.getpid(),
            address=self.address,
            started_at=self.started_at,
            told_at=datetime.now(UTC),
            is_draining=self.is_draining(),
            gauges=gauges,
            counters=counters,
            distributions=distributions,
        )


def _families(metric: Gauge | Counter | Histogram) -> Iterator[Metric]:
    yield from metric.collect()


def _name(family: Metric) -> str:
    return family.name.removeprefix(PREFIX)


def _gauge(metric: Gauge) -> Iterator[tuple[str, float]]:
    for family in _families(metric):
        yield _name(family), sum(sample.value for sample in family.samples)


def _count(metric: Counter, label: str) -> dict[str, float]:
    totals: Totals[str] = Totals()
    for family in _families(metric):
        name = _name(family)
        for sample in family.samples:
            if sample.name.endswith("_total"):
                key = f"{name}.{sample.labels[label]}" if label else name
                totals[key] += sample.value  # type: ignore[assignment]
    return dict(totals)


def _distribution(metric: Histogram) -> tuple[str, Distribution]:
    """All of its labels together; Prometheus counts what is below a bound, from nothing on."""
    [family] = _families(metric)
    below: Totals[float] = Totals()
    seconds = 0.0
    for sample in family.samples:
        if sample.name.endswith("_bucket"):
            below[float(sample.labels["le"])] += int(sample.value)
        elif sample.name.endswith("_sum"):
            seconds += sample.value
    bounds = sorted(below)
    counts = [
        below[bound] - (below[bounds[place - 1]] if place else 0)
        for place, bound in enumerate(bounds)
    ]
    return _name(family), Distribution(bounds[:-1], counts, seconds)


def _read_process() -> dict[str, float]:
    """What Linux tells of the process; nothing elsewhere."""
    samples = (sample for family in PROCESS_COLLECTOR.collect() for sample in family.samples)
    return {OF_PROCESS[each.name]: each.value for each in samples if each.name in OF_PROCESS}
