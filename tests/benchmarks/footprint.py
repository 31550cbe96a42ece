"""A gateway and a bridge of whom nobody wants anything: how soon they are ready, what they hold."""

import asyncio
from collections.abc import AsyncIterator
from statistics import median
from time import monotonic, perf_counter

import psutil

from devstack.processes import HOST, free_port
from tests.benchmarks.chat import chatting
from tests.benchmarks.installation import Bench, Installation
from tests.benchmarks.results import Row, Target, at_most
from tests.system import System, read_status

STARTS = 5
REST_SECONDS = 5.0
READY_SECONDS = 30.0
LOOK_SECONDS = 0.01
MIB = 1024 * 1024

MODULES = {"gateway": "gateway", "bridge": "agent_bridge"}
TARGETS: dict[str, Target] = {
    "gateway at rest": at_most(75),
    "bridge at rest": at_most(60),
    "gateway ready": at_most(0.8),
    "bridge ready": at_most(0.8),
}


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Resident MiB some seconds after the start, and after a first chat; then seconds to start."""
    one = bench.start()
    await asyncio.sleep(REST_SECONDS)
    for name in MODULES:
        yield Row(f"{name} at rest", _resident(one, name), "MiB")
    async with chatting(one, 1) as [chat]:
        await chat.ask()
        for name in MODULES:
            yield Row(f"{name} after a first chat", _resident(one, name), "MiB")
    took: dict[str, list[float]] = {name: [] for name in MODULES}
    for _ in range(STARTS):
        for name, module in MODULES.items():
            took[name].append(await _start(one.system, name, module))
    for name, seconds in took.items():
        yield Row(f"{name} ready", median(seconds), "s")
        yield Row(f"{name} ready, the quickest", min(seconds), "s")


def _resident(one: Installation, name: str) -> float:
    return float(psutil.Process(one.pid(name)).memory_info().rss) / MIB


async def _start(system: System, name: str, module: str) -> float:
    """Seconds from the start of one more process until it is ready. Raises TimeoutError."""
    port = free_port()
    ports = {f"{name.upper()}_PORT": str(port), f"{name.upper()}_METRICS_PORT": str(free_port())}
    began = perf_counter()
    child = system.start(f"{name} that starts", module, ports)
    deadline = monotonic() + READY_SECONDS
    while read_status(f"http://{HOST}:{port}/ready") != 200:
        if child.has_ended or monotonic() > deadline:
            raise TimeoutError(f"the {name} is not ready: {child.last_lines()}")
        await asyncio.sleep(LOOK_SECONDS)
    seconds = perf_counter() - began
    await asyncio.to_thread(child.stop)
    return seconds
