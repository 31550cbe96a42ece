"""The port where Prometheus asks."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from prometheus_client import REGISTRY, generate_latest

from devstack.processes import HOST, free_port
from shared.postgres.pool import create_database
from shared.settings.installation import Settings
from shared.telemetry.metrics import (
    LOOP_HELD,
    LOOP_LAG,
    TICK_SECONDS,
    measure_loop_lag,
    open_core_waits,
    serve_metrics,
)


def read(port: int) -> str:
    with urlopen(f"http://{HOST}:{port}/metrics", timeout=5) as answer:
        text: str = answer.read().decode()
    return text


async def test_it_answers_until_the_block_ends(settings: Settings) -> None:
    port = free_port()
    async with create_database(settings) as database:
        with serve_metrics(HOST, port, database):
            assert 'genai_database_connections{state="idle"} 1.0' in read(port)
    with pytest.raises(URLError):
        read(port)
    assert b"genai_database_connections{" not in generate_latest(REGISTRY), "the pool is closed"


async def test_a_port_that_is_taken_is_an_error(settings: Settings) -> None:
    port = free_port()
    async with create_database(settings) as database:
        with serve_metrics(HOST, port, database), pytest.raises(OSError, match="in use"):
            serve_metrics(HOST, port, database).__enter__()


async def test_port_0_is_no_port(settings: Settings) -> None:
    with serve_metrics("no host", 0, create_database(settings)):
        pass


@contextmanager
def looked_at() -> Iterator[dict[str, float]]:
    """Filled with what the histograms have counted beyond 50 ms when the block ends."""
    before, counted = _over_50_ms(), dict[str, float]()
    yield counted
    counted.update({name: count - before[name] for name, count in _over_50_ms().items()})


def _over_50_ms() -> dict[str, float]:
    counts = {}
    for name, histogram in {"lag": LOOP_LAG, "held": LOOP_HELD}.items():
        [family] = histogram.collect()
        found = {sample.labels.get("le"): sample.value for sample in family.samples}
        counts[name] = found["+Inf"] - found["0.05"]
    return counts


async def look_while(work: Callable[[], object]) -> None:
    """Measure the loop, and do something on it that it waits for."""
    measuring = asyncio.create_task(measure_loop_lag())
    await asyncio.sleep(TICK_SECONDS / 2)
    work()
    await asyncio.sleep(2 * TICK_SECONDS)
    measuring.cancel()


async def test_a_loop_that_is_held_is_late_by_its_own_doing() -> None:
    with looked_at() as counted:
        await look_while(lambda: time.sleep(0.2))
    assert counted["held"] >= 1
    assert counted["lag"] >= counted["held"]


async def test_a_loop_without_a_core_is_late_but_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = iter([0.0, 0.3, *[0.3] * 1000])

    @contextmanager
    def core_waits() -> Iterator[Callable[[], float]]:
        yield lambda: next(waited)

    monkeypatch.setattr("shared.telemetry.metrics.open_core_waits", core_waits)
    with looked_at() as counted:
        await look_while(lambda: time.sleep(0.2))
    assert counted["lag"] >= 1
    assert counted["held"] == counted["lag"] - 1


def test_what_a_thread_waited_for_a_core_never_falls() -> None:
    with open_core_waits() as seconds_without_core:
        first = seconds_without_core()
        time.sleep(0.001)
        assert 0 <= first <= seconds_without_core()


def test_without_schedstat_a_thread_has_waited_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.telemetry.metrics.SCHEDSTAT", Path("/nowhere"))
    with open_core_waits() as seconds_without_core:
        assert seconds_without_core() == 0
