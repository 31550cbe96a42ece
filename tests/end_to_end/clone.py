"""A fresh clone of the project, and `make run` in it, as in its user's terminal."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import psutil
import pytest
from attrs import frozen

from devstack.processes import free_port
from devstack.secrets_file import MAKERS
from shared.settings.installation import Settings
from tests.system import PROJECT

START_SECONDS = 120.0  # packages that are in no cache yet have to come from somewhere
END_SECONDS = 30.0
PORTS = ("GATEWAY_PORT", "BRIDGE_PORT", "AGENTS_PORT", "ROUTER_PORT", "SAMPLES_PORT")
# What would make another installation of it, or is about the `make` and Python of this run.
NOT_THE_USERS = {
    *(each.name.upper() for each in attrs.fields(Settings)),
    *MAKERS,
    *PORTS,
    *("AGENT_ID", "AGENT_JWT_TOKEN", "GATEWAY_URL", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"),
    *("PYTHONPATH", "PYTHONWARNINGS", "VIRTUAL_ENV"),
}


@frozen
class Clone:
    """A fresh clone and the environment of the user who has it."""

    folder: Path
    environment: dict[str, str]

    @property
    def ports(self) -> dict[str, int]:
        """The ports that its user chose."""
        return {name: int(self.environment[name]) for name in PORTS}


@frozen
class Running:
    """A `make run` in a session of its own, as in a terminal."""

    process: subprocess.Popen[bytes]
    output: Path

    def said(self) -> str:
        """What the user has read so far."""
        return self.output.read_text()

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)

    def parts(self) -> list[psutil.Process]:
        """Every process that runs for it now."""
        return psutil.Process(self.process.pid).children(recursive=True)


@frozen
class Ending:
    """How a `make run` ended, and which of its processes are still there."""

    code: int
    said: str
    left: list[psutil.Process]


@contextmanager
def make_clone() -> Iterator[Clone]:
    """The project's last commit in an empty folder, and an empty home."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's own user has to enter it
        (home := folder / "home").mkdir()
        checkout = folder / "project"
        subprocess.run(["git", "clone", "--quiet", PROJECT, checkout], check=True)
        yield Clone(checkout, _environment(home))


def _environment(home: Path) -> dict[str, str]:
    """This machine's environment without this project's variables, and with what is cached."""
    own_programs = str(PROJECT / ".venv" / "bin")
    programs = [each for each in os.environ["PATH"].split(os.pathsep) if each != own_programs]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return {
        "UV_CACHE_DIR": str(cache / "uv"),
        "PIP_CACHE_DIR": str(cache / "pip"),
        **{name: value for name, value in os.environ.items() if name not in NOT_THE_USERS},
        **{name: str(free_port()) for name in PORTS},
        "HOME": str(home),
        "PATH": os.pathsep.join(programs),
    }


@contextmanager
def run_clone(clone: Clone, command: str = "make run") -> Iterator[Running]:
    """Type `make run`. Should it still run at the end of the block, it is ended by force."""
    output = clone.folder.parent / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            ["sh", "-c", f"exec env {command}"],
            cwd=clone.folder,
            env=clone.environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    running = Running(process, output)
    try:
        yield running
    finally:
        if process.poll() is None:
            parts = running.parts()
            running.interrupt()
            wait_for_end(running, parts)


def wait_for_table(running: Running) -> dict[str, str]:
    """The table that is printed when everything runs."""
    deadline = time.monotonic() + START_SECONDS
    while "Try it:" not in running.said():
        if running.process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"`make run` printed no example:\n{running.said()}")
        time.sleep(0.05)
    return dict(re.findall(r"^(\S.*?) {2,}(\S.*)$", running.said(), re.MULTILINE))


def run_example(clone: Clone, said: str, label: str = "Try it") -> subprocess.CompletedProcess[str]:
    """Copy the printed example into a shell."""
    [command] = re.findall(
        rf"^{label}: +(\.venv/bin/python -m devstack\.ask .*)$", said, re.MULTILINE
    )
    return subprocess.run(
        ["sh", "-c", command],
        check=False,
        cwd=clone.folder,
        env=clone.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def wait_for_end(
    running: Running, parts: list[psutil.Process], seconds: float = END_SECONDS
) -> Ending:
    """Wait until it has ended; whatever outlives it is named, and killed."""
    try:
        code = running.process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(running.process.pid, signal.SIGKILL)
        code = running.process.wait()
    _, left = psutil.wait_procs(parts, timeout=1)
    for part in left:
        part.kill()
    return Ending(code, running.said(), left)
