"""Services of another commit beside ours, turn by turn: what became dearer, or cheaper.

Only gateway and bridge are the other commit's, and its tables; load, agents and router are ours.
"""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

from devstack.processes import Child
from tests.benchmarks.chat import chatting
from tests.benchmarks.installation import LOAD, STUB, Bench, Checkout, Installation
from tests.benchmarks.load import Load, Work, run_load
from tests.benchmarks.people import WrongAnswerError, insert_agents, insert_people
from tests.benchmarks.report import FOLDER
from tests.benchmarks.results import Row, Target, at_most
from tests.benchmarks.wire import Http, connections, http_request
from tests.sql import run_sql
from tests.system import PROJECT, StartModule, create_database, start_executed, url_of

CHATTING = (64, 1)  # users at once
SECONDS, ROUNDS = 1.0, 15  # of four turns each: ours, the other's, the other's, ours
SERVICES = {"gateway", "agent_bridge"}
STANDS_IN = {STUB, LOAD, "router"}
OK = 200
IMPORTS = "import gateway.app, agent_bridge.app"

READING = 16  # connections
ONE = "one agent: CPU per call"

TARGETS: dict[str, Target] = {
    name: at_most(1.03, of_floor=True)
    for name in (*(f"chat, {users} users: CPU per chat" for users in CHATTING), ONE)
}


async def measure(bench: Bench, commit: str) -> AsyncIterator[Row]:
    """Chats, and calls that read one agent; the floor is the same of the other commit."""
    before = bench.start(checkout=bench.scenario.enter_context(_checked_out(bench, commit)))
    now = bench.start()
    async with _reading(now) as ours, _reading(before) as theirs:
        read = await _in_pairs(
            lambda: run_load(ours, SECONDS, now), lambda: run_load(theirs, SECONDS, before)
        )
    yield _middle(ONE, "ms", read, _cpu)
    for users in CHATTING:
        async with chatting(now, users) as ours, chatting(before, users) as theirs:
            pairs = await _in_pairs(
                lambda: run_load([chat.ask for chat in ours], SECONDS, now),
                lambda: run_load([chat.ask for chat in theirs], SECONDS, before),
            )
        name = f"chat, {users} users"
        yield _middle(f"{name}: CPU per chat", "ms", pairs, _cpu)
        yield _middle(f"{name}: chats", "/s", pairs, lambda load: load.per_second)
        yield _middle(f"{name}: p50", "ms", pairs, lambda load: load.ms(50))
        now_all, before_all = (_all(side) for side in zip(*pairs, strict=True))
        yield Row(f"{name}: all turns", _cpu(now_all), "ms", _cpu(before_all), now_all.cpu())
        yield Row(f"{name}, before: all turns", _cpu(before_all), "ms", cpu=before_all.cpu())


@asynccontextmanager
async def _reading(one: Installation) -> AsyncIterator[list[Work]]:
    """What reads an agent again and again, over connections that stay."""
    people = insert_people(one.system.settings, READING)
    insert_agents(one.system.settings, people)
    with run_sql(one.system.settings) as sql:
        ids = {
            str(row["creator_id"]): row["id"] for row in sql("SELECT creator_id, id FROM agents")
        }
    async with connections(one.system.gateway, READING) as opened:
        yield [
            partial(_read, connection, person.token, ids[person.id])
            for connection, person in zip(opened, people, strict=True)
        ]


async def _read(connection: Http, token: str, agent_id: str) -> None:
    answer = await connection.ask(http_request("GET", f"/api/agents/{agent_id}", token=token))
    if answer.status != OK:
        raise WrongAnswerError(f"{answer.status} {answer.body!r}")


async def _in_pairs(
    ours: Callable[[], Awaitable[Load]], theirs: Callable[[], Awaitable[Load]]
) -> list[tuple[Load, Load]]:
    """Both, in each round in such turns that what changes steadily changes nothing."""
    pairs = []
    for _ in range(ROUNDS):
        first, second, third, fourth = await ours(), await theirs(), await theirs(), await ours()
        pairs.append((first + fourth, second + third))
    return pairs


def _middle(
    name: str, unit: str, pairs: Sequence[tuple[Load, Load]], figure: Callable[[Load], float]
) -> Row:
    """What both did in the round whose ratio is the middle one: others use the machine, too."""
    figures = sorted(
        ((figure(ours), figure(theirs)) for ours, theirs in pairs),
        key=lambda pair: pair[0] / pair[1],
    )
    ours, theirs = figures[len(figures) // 2]
    return Row(name, ours, unit, theirs)


def _all(loads: Sequence[Load]) -> Load:
    first, *others = loads
    return sum(others, start=first)


def _cpu(load: Load) -> float:
    """What the services and their stores spend on a chat; all else stands in for others."""
    return sum(spent for part, spent in load.cpu().items() if part not in STANDS_IN)


@contextmanager
def _checked_out(bench: Bench, commit: str) -> Iterator[Checkout]:
    """A worktree of a commit, which is removed in the end, and a database with its tables."""
    name = _run("git", "rev-parse", "--verify", f"{commit}^{{commit}}", folder=PROJECT).strip()
    folder = FOLDER / "against" / name[:12]
    _run("git", "worktree", "add", "--force", "--detach", folder, name, folder=PROJECT)
    try:
        python, template = _python_for(folder), create_database(bench.postgres)
        variables = {**os.environ, "DATABASE_URL": url_of(bench.postgres, template)}
        _run(python, "-m", "shared.upgrade.migrate", folder=folder, environment=variables)
        yield Checkout(template, _starting(folder, python))
    finally:
        _run("git", "worktree", "remove", "--force", folder, folder=PROJECT)


def _python_for(folder: Path) -> str:
    """Ours, where the commit's services work with it, or else one with the packages of its lock."""
    works = subprocess.run([sys.executable, "-W", "error", "-c", IMPORTS], cwd=folder, check=False)
    if works.returncode == 0:
        return sys.executable
    _run(sys.executable, "-m", "venv", ".venv", folder=folder)
    packages = ["-q", "--require-hashes", "-r", "requirements.lock"]
    python = str(folder / ".venv/bin/python")
    _run(python, "-m", "pip", "install", *packages, folder=folder)
    return python


def _starting(checkout: Path, python: str) -> StartModule:
    def start(
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str],
        folder: Path,
    ) -> Child:
        where, by = (checkout, python) if command[0] in SERVICES else (folder, sys.executable)
        return start_executed(name, command, log, environment=environment, folder=where, python=by)

    return start


def _run(*command: str | Path, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    return subprocess.run(
        command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
