"""Real agents, and the stand-in master agent, as processes beside a system."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import pytest

from devstack.agent_session import CONNECTED
from devstack.processes import Child, start_child, stopping, wait_until_ready
from tests.system import ML_KEY, PROJECT, System

AGENT_NAME = "letter_sealer"  # as it is stored
AGENT_DESCRIPTION = "Seals letters with a word that only it knows"
SEALING_LOGS = 4  # of a call: one of the library, two of the agent's own, one of the library
SCRIPTS = PROJECT / "tests" / "agents"
CLERK = "clerk.py"
CALLING_LOGS = 3  # of the master agent around one call

type Generation = Literal["1.0", "2.0"]
type Contract = Literal["enriched", "lookup"]


@contextmanager
def run_agent(system: System, generation: Generation, token: str, seal: str) -> Iterator[Child]:
    """Run the agent of a token; it seals with `seal`, which nobody else is told."""
    script = f"generation_{generation.partition('.')[0]}/agent.py"
    with _run(system, generation, token, script, SEAL=seal) as child:
        yield child


@contextmanager
def run_steady_agent(system: System, generation: Generation, token: str) -> Iterator[Child]:
    """Run an agent that counts its calls, and connects anew at once whenever it is cut off."""
    with _run(system, generation, token, "steady.py") as child:
        yield child


@contextmanager
def run_clerk(system: System, generation: Generation, token: str) -> Iterator[Child]:
    """Run the agent that uses all that its library offers."""
    with _run(system, generation, token, CLERK) as child:
        yield child


@contextmanager
def run_written_master(system: System, generation: Generation, script: Path) -> Iterator[Child]:
    """Run a master agent that a test has written."""
    with _run(system, generation, "", str(script), MASTER_AGENT_API_KEY=ML_KEY) as child:
        yield child


@contextmanager
def run_written_agent(
    system: System, generation: Generation, script: Path, **variables: str
) -> Iterator[Child]:
    """Run an agent that somebody has written, with the variables that he was told."""
    with _run(system, generation, "", str(script), **variables) as child:
        yield child


@contextmanager
def _run(
    system: System, generation: Generation, token: str, script: str, **own: str
) -> Iterator[Child]:
    """Run a script of this folder, or of the path."""
    child = start_child(
        name := f"{Path(script).stem} {uuid4()}",
        [_interpreter(generation), "-W", "error", str(SCRIPTS / script)],
        system.folder / f"{name}.log",
        environment={**_environment(system, token), **own},
        folder=system.folder,
    )
    with stopping(child):
        yield child


def run_clerk_here(system: System, token: str, *arguments: str) -> dict[str, Any]:
    """What the second generation tells that works without a connection."""
    done = subprocess.run(
        [_interpreter("2.0"), "-W", "error", str(SCRIPTS / CLERK), "--here", *arguments],
        env=_environment(system, token),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _environment(system: System, token: str) -> dict[str, str]:
    """What an agent of either generation is told by its author."""
    addresses = {"GATEWAY_URL": system.gateway, "BACKEND_API_BASE_URL": system.gateway}
    own = {"AGENT_JWT_TOKEN": token, "ROUTER_WS_URL": system.agents_url}
    return {**os.environ, **addresses, **own}


def _interpreter(generation: Generation) -> str:
    if generation == "1.0":
        return sys.executable
    interpreter = PROJECT / ".venv-genai2" / "bin" / "python"
    if not interpreter.exists():
        pytest.fail(f"{interpreter} is missing: `make test` makes it.", pytrace=False)
    return str(interpreter)


@contextmanager
def run_master_agent(system: System, contract: Contract) -> Iterator[Child]:
    """Run the local stack's master agent, connected when the block begins."""
    addresses = {"GATEWAY_URL": system.gateway, "ROUTER_WS_URL": system.agents_url}
    child = start_child(
        name := f"master agent {uuid4()}",
        [sys.executable, "-W", "error", "-m", "devstack.master_agent", "--contract", contract],
        system.folder / f"{name}.log",
        environment={**os.environ, **system.environment, **addresses},
        folder=PROJECT,
    )
    with stopping(child):
        wait_until_ready(child, lambda: CONNECTED in child.last_lines())
        yield child
