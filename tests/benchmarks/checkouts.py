"""Another commit as it was checked in: its services are started from there, with its tables."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from devstack.processes import Child
from tests.benchmarks.installation import Bench, Checkout
from tests.benchmarks.report import FOLDER
from tests.system import PROJECT, StartModule, create_database, start_executed, url_of

SERVICES = {"gateway", "agent_bridge"}
IMPORTS = "import gateway.app, agent_bridge.app"


@contextmanager
def checked_out(bench: Bench, commit: str) -> Iterator[Checkout]:
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
