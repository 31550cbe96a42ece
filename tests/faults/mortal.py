"""PostgreSQL and Valkey of an installation's own: they die, and come back, or another does."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from attrs import define, field

from devstack.postgres import PostgresServer, run_postgres
from devstack.postgres_place import find_place
from devstack.processes import free_port
from devstack.valkey import ValkeyServer, run_valkey
from tests.estates.running import Node
from tests.pooler import Pooler, run_pooler
from tests.system import make_secrets, url_of


@define
class Mortal[Server: (PostgresServer, ValkeyServer, Node, Pooler)]:
    """A server that is stopped or killed, and started again at the same port."""

    _run: Callable[..., AbstractContextManager[Server]]
    _exits: ExitStack = field(factory=ExitStack, init=False)
    _servers: list[Server] = field(factory=list, init=False)

    @property
    def server(self) -> Server:
        """The latest that was started."""
        return self._servers[-1]

    def start(self, **how: Any) -> Server:
        """Start it, again after it was stopped or killed."""
        self._servers.append(self._exits.enter_context(self._run(**how)))
        return self.server

    def stop(self) -> None:
        """Stop it; connections are cut off."""
        self._exits.close()

    def kill(self) -> None:
        """Crash it."""
        self.server.child.kill()
        self._exits.close()


@define
class Pair:
    """A primary, and a streaming standby without which it says of nothing that it is stored."""

    _primary: Mortal[PostgresServer]
    _standby: Mortal[PostgresServer]
    _database: str = ""

    @property
    def server(self) -> PostgresServer:
        """The primary of the moment."""
        return self._primary.server

    @property
    def standby(self) -> PostgresServer:
        """The other one."""
        return self._standby.server

    def url_of(self, database: str) -> str:
        """Where the database is, whichever of both is the primary."""
        self._database = database
        one, other = sorted(server.port for server in (self.server, self.standby))
        return self.url_by(one, other)

    def url_by(self, *ports: int) -> str:
        """The same by way of other ports."""
        server = self.server
        hosts = ",".join(f"{server.host}:{port}" for port in ports)
        return f"postgresql://{server.user}:{server.password}@{hosts}/{self._database}"

    def start(self) -> PostgresServer:
        """Start the primary, at first or after it was killed."""
        return self._primary.start()

    def follow(self) -> None:
        """Start the standby, as a copy of the primary."""
        self._standby.start(primary=self.server)
        _tell(self.server, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        _tell(self.server, "SELECT pg_reload_conf()")

    def stop(self) -> None:
        """Stop both."""
        self._standby.stop()
        self._primary.stop()

    def kill(self) -> None:
        """Crash the primary."""
        self._primary.kill()

    def promote(self) -> None:
        """Have the standby be the primary, after that was killed."""
        self._primary, self._standby = self._standby, self._primary
        # A new primary without a standby would wait for one with every commit.
        _tell(self.server, "ALTER SYSTEM RESET synchronous_standby_names")
        _tell(self.server, "SELECT pg_reload_conf()")
        _tell(self.server, "SELECT pg_promote()")


def _tell(server: PostgresServer, statement: str) -> None:
    with psycopg.connect(url_of(server, "postgres"), autocommit=True) as connection:
        connection.execute(statement)


@contextmanager
def stopping_mortal[Server: (PostgresServer, ValkeyServer, Node, Pooler)](
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
        with stopping_mortal(Mortal(run)) as mortal:
            yield mortal


@contextmanager
def hold_valkey() -> Iterator[Mortal[ValkeyServer]]:
    """A server that is to be started, with a folder and port of its own."""
    with TemporaryDirectory() as name:
        run = partial(run_valkey, Path(name), port=free_port())
        with stopping_mortal(Mortal(run)) as mortal:
            yield mortal


@contextmanager
def hold_pair() -> Iterator[Pair]:
    """Two servers that are to be started, with folders and ports of their own."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        password = make_secrets()["POSTGRES_PASSWORD"]
        one, other = (
            stack.enter_context(
                stopping_mortal(Mortal(partial(_run_anew, folder / part, password, free_port())))
            )
            for part in ("one", "other")
        )
        yield Pair(one, other)


@contextmanager
def _run_anew(
    folder: Path, password: str, port: int, primary: PostgresServer | None = None
) -> Iterator[PostgresServer]:
    """Run it on the data that it has, or on a new copy of a primary's."""
    if primary is not None and folder.exists():
        rmtree(find_place(folder.resolve()).data, ignore_errors=True)
    with run_postgres(folder, password=password, port=port, fast=True, primary=primary) as server:
        yield server


@contextmanager
def hold_pooler(postgres: PostgresServer, port: int) -> Iterator[Mortal[Pooler]]:
    """A pooler that is to be started, with a port of its own, for the PostgreSQL at another one."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        run = partial(run_pooler, folder, postgres, port, free_port())
        with stopping_mortal(Mortal(run)) as mortal:
            yield mortal
