"""The services as operators start them: by their commands, with imports of their own."""

import os
import signal
from pathlib import Path

import pytest

from devstack.processes import HOST, free_port, stopping, wait_until_ready
from tests.system import PROJECT, read_status, start_executed


@pytest.mark.parametrize(
    ("module", "port_name"), [("gateway", "GATEWAY_PORT"), ("agent_bridge", "BRIDGE_PORT")]
)
def test_a_service_starts_and_ends_by_its_command_without_a_warning(
    environment: dict[str, str], tmp_path: Path, module: str, port_name: str
) -> None:
    port = free_port()
    variables = {**os.environ, **environment, port_name: str(port)}
    child = start_executed(
        module, [module], tmp_path / "log", environment=variables, folder=PROJECT
    )
    with stopping(child):
        wait_until_ready(child, lambda: read_status(f"http://{HOST}:{port}/health") == 200)
    assert child.process.returncode == -signal.SIGTERM
    assert "Warning" not in child.last_lines(1000)
