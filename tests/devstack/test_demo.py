"""The demo account and its agent, as a process of their own."""

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree

from devstack.agent_session import CONNECTED
from devstack.processes import start_child, stopping, wait_until_ready
from devstack.secrets_file import read_secrets
from tests.system import PROJECT, System

COMMAND = [sys.executable, "-m", "devstack.demo"]


def _run_until_connected(folder: Path, environment: dict[str, str]) -> dict[str, str]:
    """What it keeps once its agent is there. In a copy: the project's own data stay."""
    child = start_child("demo", COMMAND, folder / "log", environment=environment, folder=folder)
    with stopping(child):
        wait_until_ready(child, lambda: CONNECTED in child.last_lines())
    return read_secrets(folder / ".devstack" / "secrets.env")


def test_it_makes_the_account_and_is_its_agent_again_after_a_restart(
    system: System, tmp_path: Path
) -> None:
    copytree(PROJECT / "devstack", tmp_path / "devstack")
    addresses = {"GATEWAY_URL": system.gateway, "ROUTER_WS_URL": system.router_url}
    environment = {**os.environ, **addresses, "DEMO_PASSWORD": "Demo-Passw0rd"}
    kept = _run_until_connected(tmp_path, environment)
    assert kept.keys() == {"AGENT_ID"}
    assert _run_until_connected(tmp_path, environment) == kept


def test_without_a_password_it_says_what_it_needs() -> None:
    environment = {**os.environ, "DEMO_PASSWORD": ""}
    ended = subprocess.run(
        COMMAND, check=False, env=environment, cwd=PROJECT, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert ended.stderr == "The demo account needs DEMO_PASSWORD in the environment.\n"
