"""What both services count and measure, and the port where it can be read.

Labels have few values, and none that anybody outside can make up.
"""

import asyncio
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from databases import Database
from prometheus_client import (
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
    start_http_server,
)

from shared import VERSION
from shared.postgres.statements import DirectDatabase

BUILD = Info("genai_build", "The version that runs.")
BUILD.info({"version": VERSION, "python": platform.python_version()})

STATUSES = ("answered", "failed", "timed_out", "cancelled", "interrupted")

REQUESTS_ENDED = Counter(
    "genai_requests_ended", "Requests that this process has ended.", ["status"]
)
CONNECTIONS_REFUSED = Counter(
    "genai_connections_refused",
    "Connections, and requests by proxies, of addresses with too many without a token.",
)
NOTIFICATIONS_LAG = Histogram(
    "genai_notifications_lag_seconds",
    "From publishing in Redis to hearing it, tried once a second.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
)
NOTIFICATIONS_SKIPPED = Counter(
    "genai_notifications_skipped", "Notifications in a form that is not known here.", ["format"]
)
NOTIFICATIONS_DROPPED = Counter(
    "genai_notifications_dropped", "Notifications that Redis did not take in time."
)
NOTIFICATIONS_UP = Gauge("genai_notifications_up", "Whether this process hears what Redis says.")
LOOP_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
LOOP_LAG = Histogram(
    "genai_loop_lag_seconds",
    "How late the event loop comes to what is due, tried fifty times a second.",
    buckets=LOOP_BUCKETS,
)
LOOP_HELD = Histogram(
    "genai_loop_held_seconds",
    "The same without what it waited for a core meanwhile, where Linux tells: its own doing.",
    buckets=LOOP_BUCKETS,
)
DATABASE_CONNECTIONS = Gauge(
    "genai_database_connections", "Connections of the pool to PostgreSQL.", ["state"]
)
DATABASE_CONNECTIONS_MOST = Gauge(
    "genai_database_connections_most", "Connections that the pool may have."
)
LOG_LINES_DROPPED = Counter(
    "genai_log_lines_dropped", "Log lines that stderr did not take in time."
)

TICK_SECONDS = 0.02
SCHEDSTAT = Path("/proc/thread-self/schedstat")
SCHEDSTAT_BYTES = 100  # three numbers of 64 bits

for _status in STATUSES:  # so that the first of a kind shows as a change
    REQUESTS_ENDED.labels(_status)


@contextmanager
def serve_metrics(host: str, port: int, database: Database) -> Iterator[None]:
    """Answer Prometheus on a port of its own until the block ends; port 0: nowhere.

    In a thread, so that a process whose loop is stuck can still be looked at. Raises OSError.
    """
    if not port:
        yield
        return
    disable_created_metrics()  # type: ignore[no-untyped-call]
    with _watching_pool(database):
        server, thread = start_http_server(port, host)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


async def measure_loop_lag() -> None:
    """See for ever how late the loop is, and how much of that is its own doing."""
    with open_core_waits() as seconds_without_core:
        waited = seconds_without_core()
        while True:
            due, before = monotonic() + TICK_SECONDS, waited
            await asyncio.sleep(TICK_SECONDS)
            lag, waited = monotonic() - due, seconds_without_core()
            LOOP_LAG.observe(lag)
            LOOP_HELD.observe(max(0.0, lag - (waited - before)))


@contextmanager
def open_core_waits() -> Iterator[Callable[[], float]]:
    """Says for how many seconds this thread wanted a core and had none: proc(5), `schedstat`.

    0 where the system does not tell.
    """
    try:
        file = SCHEDSTAT.open("rb")
    except OSError:
        yield lambda: 0.0
        return
    with file:
        yield lambda: int(os.pread(file.fileno(), SCHEDSTAT_BYTES, 0).split()[1]) / 1e9


@contextmanager
def _watching_pool(database: Database) -> Iterator[None]:
    """Until the block ends: a pool that is closed can't be asked any more."""
    assert isinstance(database, DirectDatabase)
    DATABASE_CONNECTIONS.labels("idle").set_function(lambda: database.measure().idle)
    DATABASE_CONNECTIONS.labels("in_use").set_function(lambda: database.measure().in_use)
    DATABASE_CONNECTIONS_MOST.set(database.measure().most)
    try:
        yield
    finally:
        DATABASE_CONNECTIONS.clear()
