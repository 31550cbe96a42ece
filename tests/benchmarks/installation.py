"""What is measured: the system as real processes, and what each of them spends."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any
from urllib.request import urlopen

import orjson
import psutil
from attrs import define, field, frozen
from prometheus_client.parser import text_string_to_metric_families

from devstack.postgres import PostgresServer, run_postgres
from devstack.processes import Child, wait_until_ready
from devstack.valkey import run_valkey
from shared.upgrade.migrate import migrate
from tests.benchmarks.stub_agent import CONNECTED
from tests.system import (
    StartModule,
    Stores,
    System,
    create_database,
    make_secrets,
    start_executed,
    url_of,
)

type Processes = Mapping[str, list[int]]
"""Process ids by the name of a part, of which there may be several."""
type Spent = Mapping[str, float]
"""CPU milliseconds by the name of a part."""


STUB, LOAD = "stub agent", "load"
"""The parts that are no part of an installation."""


@frozen
class Installation:
    """A running system; PostgreSQL may be shared with another one that is idle meanwhile."""

    system: System
    processes: Processes

    def spent(self) -> Spent:
        """What each part has spent since it was started, and this process, which is the load."""
        return spent_by(self.processes)

    def pid(self, name: str) -> int:
        """The process of a part of which there is one."""
        [pid] = self.processes[name]
        return pid

    def looks(self, metric: str) -> Mapping[float, float]:
        """How often the services' event loops were so late, by the upper bound in seconds."""
        looks: dict[float, float] = {}
        for url in self.system.metrics.values():
            before = 0.0
            for bound, count in _buckets(url, metric):
                looks[bound] = looks.get(bound, 0) + count - before
                before = count
        return looks


def spent_by(processes: Processes) -> Spent:
    """What each part has spent since it was started, and this process, which is the load."""
    parts = {name: sum(map(_spent, pids)) for name, pids in processes.items()}
    return {**parts, LOAD: 1000 * process_time()}


def _spent(pid: int) -> float:
    """Of a process, the children that it has, and those that it had: PostgreSQL's sessions."""
    process = psutil.Process(pid)
    return 1000 * sum(sum(each) for each in (process.cpu_times()[:4], *_living(process)))


def _living(process: psutil.Process) -> Iterator[tuple[float, float]]:
    for child in process.children():
        with suppress(psutil.NoSuchProcess):  # since it was listed
            times = child.cpu_times()
            yield times.user, times.system


def _buckets(url: str, metric: str) -> list[tuple[float, float]]:
    with urlopen(url, timeout=5) as response:  # noqa: S310 (an address of ours)
        text = response.read().decode()
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    return [(float(s.labels["le"]), s.value) for s in samples if s.name == f"{metric}_bucket"]


@define
class Bench:
    """One PostgreSQL for the whole run, and the installations of the scenario that runs."""

    postgres: PostgresServer
    template: str
    only: str = ""
    scenario: ExitStack = field(factory=ExitStack)
    installations: list[Installation] = field(factory=list)

    def wants(self, name: str) -> bool:
        """Whether a part of a scenario is asked for."""
        return self.only in name

    def start(
        self,
        pairs: int = 1,
        *,
        bridges: int = 0,
        has_doors: bool = False,
        checkout: "Checkout | None" = None,
        **overrides: str,
    ) -> Installation:
        """Start an installation with so many gateways and bridges; it ends with the scenario.

        With doors the master agent comes in through the first bridge's. They are this checkout's,
        unless another one is named.
        """
        parts = Parts(pairs, bridges or pairs, has_doors)
        return self.add(self._run(parts, checkout or Checkout(self.template), overrides))

    def add(self, running: AbstractContextManager[Installation]) -> Installation:
        """Start an installation; it ends with the scenario."""
        installation = self.scenario.enter_context(running)
        self.installations.append(installation)
        return installation

    def end_scenario(self) -> None:
        """End what was started."""
        self.scenario.close()
        self.installations.clear()

    @contextmanager
    def _run(
        self, parts: "Parts", checkout: "Checkout", overrides: Mapping[str, str]
    ) -> Iterator[Installation]:
        with TemporaryDirectory() as folder, run_valkey(Path(folder)) as valkey:
            stores = Stores(self.postgres, valkey, checkout.template)
            with stores.system(checkout.start, **overrides) as system:
                processes = _start_processes(system, parts)
                servers = {"PostgreSQL": [self.postgres.pid], "Valkey": [valkey.pid]}
                yield Installation(system, {**processes, **servers})


@frozen
class Checkout:
    """A database with its tables, which is copied, and how its services are started."""

    template: str
    start: StartModule = start_executed


@frozen
class Parts:
    """How many there are."""

    gateways: int
    bridges: int
    has_doors: bool


def _start_processes(system: System, parts: Parts) -> Processes:
    router = system.start_router()
    start_bridge = system.start_door if parts.has_doors else system.start_bridge
    bridges = [start_bridge().pid for _ in range(parts.bridges)]
    stub = start_stub(system, STUB)
    until_connected(system, stub)
    services = {
        "gateway": [system.start_gateway().pid for _ in range(parts.gateways)],
        "bridge": bridges,
    }
    return {**services, "router": [router.pid], STUB: [stub.pid]}


def start_stub(system: System, name: str, tokens: Sequence[str] = ()) -> Child:
    """A master agent, or agents with these tokens, at the doors, or else at the router."""
    urls = system.doors or [system.router_url]
    variables = {"AGENTS_URLS": " ".join(urls), "AGENT_TOKENS": " ".join(tokens)}
    return system.start(name, "tests.benchmarks.stub_agent", variables)


def until_connected(system: System, stub: Child) -> None:
    """Return when the stub is where it is wanted, and all know it."""
    wait_until_ready(stub, lambda: CONNECTED in stub.last_lines() and _reach_master(system))


def _reach_master(system: System) -> bool:
    """Whether each bridge with a door knows that the master agent came in through one."""
    if not system.doors:
        return True
    doors = [_read_ready(bridge)["agents_door"] for bridge in system.bridges]
    return all(door["master_agent"] == "ours" for door in doors)


def _read_ready(url: str) -> Any:
    with urlopen(f"{url}/ready", timeout=5) as response:  # noqa: S310 (an address of ours)
        return orjson.loads(response.read())


@contextmanager
def run_bench(only: str = "") -> Iterator[Bench]:
    """PostgreSQL as `make run` starts it, with a migrated database to copy.

    Of scenarios with parts only those are wanted whose name contains the text.
    """
    password = make_secrets()["POSTGRES_PASSWORD"]
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's own user has to enter it
        postgres = stack.enter_context(run_postgres(folder, password=password))
        template = create_database(postgres)
        migrate(url_of(postgres, template))
        bench = Bench(postgres, template, only)
        stack.callback(bench.end_scenario)
        yield bench
