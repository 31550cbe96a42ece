"""PostgreSQL and Valkey of an installation's own: they die, and come back on the same data."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import define, field

from devstack.postgres import PostgresServer, run_postgres
from devstack.processes import free_port
from devstack.valkey import ValkeyServer, run_valkey
from tests.system import make_secrets


@define
class Mortal[Server: (PostgresServer, ValkeyServer)]:
    """A server that is stopped or killed, and started again at the same port."""

    _run: Callable[[], AbstractContextManager[Server]]
    _exits: ExitStack = field(factory=ExitStack, init=False)
    _servers: list[Server] = field(factory=list, init=False)

    @property
    def server(self) -> Server:
        """The latest that was started."""
        return self._servers[-1]

    def start(self) -> Server:
        """Start it, again after it was stopped or killed."""
        self._servers.append(self._exits.enter_context(self._run()))
        return self.server

    def stop(self) -> None:
        """Stop it; connections are cut off."""
        self._exits.close()

    def kill(self) -> None:
        """Crash it."""
        self.server.child.kill()
        self._exits.close()


@contextmanager
def _stopping[Server: (PostgresServer, ValkeyServer)](
    mortal: Mortal[Server],
) -> Iterator[Mortal[Server]]:
    try:
        yield mortal
    finally:
        mortal.stop()


@contextmanager
def hold_postgres() -> Iterator[Mortal[PostgresServer]]:
    """A server that is to be started, with a folder and port of its own."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's own user has to enter it
        password = make_secrets()["POSTGRES_PASSWORD"]
        run = partial(run_postgres, folder, password=password, port=free_port(), fast=True)
        with _stopping(Mortal(run)) as mortal:
            yield mortal


@contextmanager
def hold_valkey() -> Iterator[Mortal[ValkeyServer]]:
    """A server that is to be started, with a folder and port of its own."""
    with TemporaryDirectory() as name:
        run = partial(run_valkey, Path(name), port=free_port())
        with _stopping(Mortal(run)) as mortal:
            yield mortal
