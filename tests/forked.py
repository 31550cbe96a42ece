"""Services that start at once: forked off a process that has imported all they need.

They are processes like any others, which signals end and freeze; only their imports, which take
seconds of a core, are done once for all of them.
"""

import os
import runpy
import signal
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from multiprocessing import connection, get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from threading import Lock

from attrs import define, field

from devstack.processes import Child, dying_with

CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(["agent_bridge.app", "gateway.app"])


@define
class Forked:
    """What `subprocess.Popen` would be to a process that was executed."""

    _process: ForkServerProcess
    _polling: Lock = field(factory=Lock)

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended, if it has."""
        return self.poll()

    def poll(self) -> int | None:
        """How it ended, or the negative number of the signal that ended it; None: it runs."""
        with self._polling:  # its code can be read only once
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        connection.wait([self._process.sentinel], timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def start_forked(
    name: str, command: Sequence[str], log: Path, *, environment: Mapping[str, str], folder: Path
) -> Child:
    """Start `python -W error -m …`, as `devstack.processes.start_child` would, but forked."""
    log.touch()
    log_start = log.stat().st_size
    arguments = (list(command), log, dict(environment), folder)
    process = CONTEXT.Process(target=_run, args=arguments, name=name)
    process.start()
    return Child(name, Forked(process), log, log_start)


def _run(command: list[str], log: Path, environment: dict[str, str], folder: Path) -> None:
    os.setsid()
    if bind := dying_with(os.getppid(), signal.SIGKILL):
        bind()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    with log.open("ab") as output, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    warnings.simplefilter("error")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = command
    sys.modules.pop(command[0], None)  # it may have come with the parent's main module
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
