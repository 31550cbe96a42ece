"""What of a process's metrics is told."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.postgres.pool import create_database
from shared.settings.installation import Settings
from shared.telemetry.snapshots import Numbers


class Metrics:
    """Some of each kind, apart from those of this process."""

    def __init__(self) -> None:
        apart: Any = {"registry": CollectorRegistry()}
        self.open = Gauge("genai_open", "o", **apart)
        self.answers = Counter("genai_answers", "a", ["route", "status"], **apart)
        self.closed = Counter("genai_closed", "c", **apart)
        self.seconds = Histogram("genai_seconds", "s", ["route"], buckets=(0.1, 1.0), **apart)


async def read(metrics: Metrics, settings: Settings) -> tuple[Any, Any, Any]:
    numbers = Numbers(
        gauges=[metrics.open],
        counters={metrics.answers: "status", metrics.closed: ""},
        distributions=[metrics.seconds],
        database=create_database(settings),
    )
    async with numbers.database:
        return numbers.read()


async def test_a_gauge_is_told_as_it_is_and_so_is_the_pool(settings: Settings) -> None:
    metrics = Metrics()
    metrics.open.set(7)
    gauges, _, _ = await read(metrics, settings)
    assert gauges["open"] == 7
    assert gauges["database_connections_most"] == settings.database_pool_size
    assert gauges["database_connections.in_use"] == 0
    assert gauges["memory_bytes"] > 1e6


async def test_a_counter_is_added_up_but_for_the_label_that_is_told(settings: Settings) -> None:
    metrics = Metrics()
    for route, status, times in (("/a", "2xx", 2), ("/b", "2xx", 3), ("/b", "4xx", 1)):
        metrics.answers.labels(route, status).inc(times)
    metrics.closed.inc()
    _, counters, _ = await read(metrics, settings)
    assert counters.pop("cpu_seconds") > 0
    assert counters == {"answers.2xx": 5, "answers.4xx": 1, "closed": 1}


async def test_a_distribution_counts_each_once_whatever_its_labels(settings: Settings) -> None:
    metrics = Metrics()
    for route, seconds in (("/a", 0.0625), ("/a", 0.5), ("/b", 0.75), ("/b", 30)):
        metrics.seconds.labels(route).observe(seconds)
    _, _, distributions = await read(metrics, settings)
    told = distributions["seconds"]
    assert (told.bounds, told.counts, told.sum) == ([0.1, 1.0], [1, 2, 1], 31.3125)


async def test_a_histogram_of_nothing_is_one_of_no_bounds(settings: Settings) -> None:
    _, _, distributions = await read(Metrics(), settings)
    assert distributions["seconds"].counts == []
