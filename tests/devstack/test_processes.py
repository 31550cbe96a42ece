"""Child processes of the local stack end with their parent, and say why they ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from devstack.processes import (
    ChildEndedError,
    StackError,
    start_child,
    stopping,
    wait_until_ready,
)

PARENT = """
import sys, time
from pathlib import Path
from devstack.processes import start_child
child = start_child("child", ["sleep", "60"], Path(sys.argv[1]), environment={})
print(child.pid, flush=True)
time.sleep(60)
"""


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE  # whoever inherits it may never reap it
    except psutil.NoSuchProcess:
        return False


def test_a_child_dies_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    deadline = time.monotonic() + 5
    while is_alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_child_has_a_session_of_its_own_so_that_ctrl_c_does_not_reach_it(tmp_path: Path) -> None:
    child = start_child("child", ["sleep", "60"], tmp_path / "log", environment=os.environ)
    with stopping(child):
        assert os.getsid(child.pid) == child.pid


def test_a_child_that_ignores_its_stop_signal_is_killed(tmp_path: Path) -> None:
    command = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"]
    child = start_child("child", command, tmp_path / "log", environment=os.environ)
    with stopping(child, timeout=0.2):
        wait_until_ready(child, lambda: "ready" in child.last_lines())
    assert child.process.returncode == -signal.SIGKILL


def test_a_child_that_ends_at_once_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo 'no such thing'; exit 3"]
    child = start_child("child", command, tmp_path / "log", environment=os.environ)
    with pytest.raises(ChildEndedError, match=r"child ended at once.*\nno such thing"):
        wait_until_ready(child, lambda: False)


def test_a_child_that_is_never_ready_is_reported(tmp_path: Path) -> None:
    child = start_child("child", ["sleep", "60"], tmp_path / "log", environment=os.environ)
    with stopping(child), pytest.raises(StackError, match="child was not ready"):
        wait_until_ready(child, lambda: False, timeout=0.1)


def test_what_an_earlier_child_logged_is_not_taken_for_the_reason(tmp_path: Path) -> None:
    for word in ("earlier", "later"):
        child = start_child("child", ["echo", word], tmp_path / "log", environment=os.environ)
        child.process.wait()
    assert child.last_lines() == "later"
    assert (tmp_path / "log").read_text() == "earlier\nlater\n"
