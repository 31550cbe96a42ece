"""The pair as real processes on real PostgreSQL and Valkey, with a router that can be killed."""

import os
import secrets
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, Protocol
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen
from uuid import uuid4

import psycopg
from attrs import define, evolve, field, frozen
from psycopg import sql

from devstack.postgres import PostgresServer
from devstack.processes import (
    HOST,
    Child,
    free_port,
    start_child,
    stopping,
    wait_until_ready,
)
from shared.settings.common import CommonSettings
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.forked import start_forked

PROJECT = Path(__file__).parent.parent


class Reachable(Protocol):
    """A Redis of any kind."""

    @property
    def url(self) -> str:
        """What a client connects to."""


type StartModule = Callable[..., Child]

# The form of the original's default: it contains the identity, so the router tells all lanes
# when the session goes.
BE_KEY = f"{uuid4()}::master_server_be"
ML_KEY = f"{uuid4()}::master_server_ml"
SERVICE_KEY = f"{uuid4()}"


EMPTY = "template1"
"""What PostgreSQL copies where nothing else is named."""


def create_database(server: PostgresServer, template: str = EMPTY, prefix: str = "test_") -> str:
    """Create a database and return its name."""
    name = f"{prefix}{uuid4().hex}"
    _execute(server, "CREATE DATABASE {} TEMPLATE {}", name, template)
    return name


@contextmanager
def run_database(
    server: PostgresServer, template: str = EMPTY, prefix: str = "test_"
) -> Iterator[str]:
    """The name of a database that is dropped in the end, whoever is connected."""
    name = create_database(server, template, prefix)
    try:
        yield name
    finally:
        _execute(server, "DROP DATABASE {} (FORCE)", name)


def _execute(server: PostgresServer, statement: str, *names: str) -> None:
    identifiers = [sql.Identifier(name) for name in names]
    with psycopg.connect(url_of(server, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*identifiers))


def url_of(server: PostgresServer, database: str) -> str:
    """The URL of a database."""
    address = f"{server.user}:{server.password}@{server.host}:{server.port}"
    return f"postgresql://{address}/{quote(database)}"


def elsewhere[S: CommonSettings](settings: S, **parts: Any) -> S:
    """The settings with other `ports`, `hosts` or another `database` of PostgreSQL."""
    return evolve(settings, database_url=evolve(settings.postgres, **parts).for_libpq)


def make_role(server: PostgresServer) -> dict[str, str]:
    """Create a role that may log in and no more, and return the variables that name it."""
    role, password = f"services_{uuid4().hex}", secrets.token_urlsafe(24)
    statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
        sql.Identifier(role), sql.Literal(password)
    )
    with psycopg.connect(url_of(server, "postgres"), autocommit=True) as connection:
        connection.execute(statement)
    return {"POSTGRES_USER": role, "POSTGRES_PASSWORD": password}


def make_secrets() -> dict[str, str]:
    """All that the services do not start without."""
    return {
        "POSTGRES_PASSWORD": secrets.token_urlsafe(24),
        "SECRET_KEY": secrets.token_hex(32),
        "ENCRYPTION_KEYS": b64encode(secrets.token_bytes(32)).decode(),
        "MASTER_BE_API_KEY": BE_KEY,
        "MASTER_AGENT_API_KEY": ML_KEY,
        "SERVICE_API_KEY": SERVICE_KEY,
    }


def make_environment(
    postgres: PostgresServer, database: str, valkey: Reachable, router_port: int
) -> dict[str, str]:
    """The variables of an installation of its own, whose users all come from one address."""
    return {
        **make_secrets(),
        "POSTGRES_HOST": postgres.host,
        "POSTGRES_PORT": str(postgres.port),
        "POSTGRES_USER": postgres.user,
        "POSTGRES_PASSWORD": postgres.password,
        "POSTGRES_DB": database,
        "REDIS_URL": valkey.url,
        "ROUTER_PORT": str(router_port),
        "ROUTER_WS_URL": f"ws://{HOST}:{router_port}/ws",
        "GATEWAY_HOST": HOST,
        "BRIDGE_HOST": HOST,
        "ALLOW_PRIVATE_URLS": "true",
        "REFRESH_SECONDS": "86400",  # URLs that a test made up would become inactive
        "DRAIN_GRACE": "0",
        "DRAIN_TIMEOUT": "5",
        "LOGIN_FAILURES_PER_ADDRESS": "0",
        "REGISTRATIONS_PER_ADDRESS": "0",
        "CONNECTIONS_PER_ADDRESS": "0",
    }


def with_url(environment: Mapping[str, str], url: str) -> dict[str, str]:
    """The variables with this URL of PostgreSQL in place of those that name its parts."""
    others = {
        name: value for name, value in environment.items() if not name.startswith("POSTGRES_")
    }
    return {**others, "DATABASE_URL": url}


def start_executed(
    name: str,
    command: Sequence[str],
    log: Path,
    *,
    environment: Mapping[str, str],
    folder: Path,
    python: str = sys.executable,
) -> Child:
    """Start a module with its arguments in a Python of its own."""
    module = [python, "-W", "error", "-m", *command]
    return start_child(name, module, log, environment=environment, folder=folder)


@define
class System:
    """An installation; what was started ends with it."""

    environment: dict[str, str]
    _start_module: StartModule = start_forked
    of_services: Mapping[str, str] = field(factory=dict)
    """Variables that the pair has, and nobody else."""
    folder: Path = field(factory=lambda: Path(mkdtemp(prefix="genai-test-")))
    gateways: list[str] = field(factory=list)
    bridges: list[str] = field(factory=list)
    doors: list[str] = field(factory=list)
    metrics: dict[str, str] = field(factory=dict)
    """Where each process tells how it does."""
    children: dict[str, Child] = field(factory=dict)
    _exits: ExitStack = field(factory=ExitStack)

    @property
    def settings(self) -> Settings:
        """The settings that the services have."""
        return read_settings(self.environment, Settings)

    @property
    def migrating_environment(self) -> dict[str, str]:
        """The variables of a migration that lets the services in."""
        owner = {f"MIGRATE_{name}": self.environment[name] for name in self.of_services}
        return {**self.environment, **owner, **self.of_services}

    @property
    def files(self) -> Path:
        """The folder of users' files, which its gateways share."""
        return self.folder / "files"

    @property
    def router_url(self) -> str:
        """Where the router listens."""
        return self.environment["ROUTER_WS_URL"]

    @property
    def agents_url(self) -> str:
        """Where agents and the master agent connect: the last door, or the router itself."""
        return self.doors[-1] if self.doors else self.router_url

    @property
    def gateway(self) -> str:
        """The URL of the first gateway."""
        return self.gateways[0]

    def start(
        self,
        name: str,
        module: str,
        overrides: Mapping[str, str] | None = None,
        alterations: tuple[str, ...] = (),
    ) -> Child:
        """Start `python -m module` with the installation's variables, and log to `name`."""
        command = ["tests.faults.altered", module, *alterations] if alterations else [module]
        variables = {**self.of_services, **(overrides or {})}
        return self._start(self._start_module, name, command, variables)

    def start_router(self) -> Child:
        """Start the router, again after it was killed."""
        child = self._start(start_executed, "router", ["devstack.router"], {})
        port = int(self.environment["ROUTER_PORT"])
        wait_until_ready(child, lambda: read_status(f"http://{HOST}:{port}/ws") is not None)
        return child

    def start_gateway(
        self, *alterations: str, host: str = HOST, port: str = "", **overrides: str
    ) -> Child:
        """Start one more gateway; its URL is the last of `gateways`.

        Alterations are those of tests/faults/altered.py.
        """
        port = port or str(free_port())
        name = f"gateway {len(self.gateways) + 1}"
        ports = {"GATEWAY_PORT": port, "GATEWAY_METRICS_PORT": self._metrics_port(name)}
        variables = {"GATEWAY_HOST": host, **ports, **overrides}
        child = self.start(name, "gateway", variables, alterations)
        wait_until_ready(child, lambda: read_status(f"http://{host}:{port}/health") == 200)
        self.gateways.append(f"http://{host}:{port}")
        return child

    def start_bridge(
        self, *alterations: str, host: str = HOST, port: str = "", **overrides: str
    ) -> Child:
        """Start one more agent bridge; its URL is the last of `bridges`.

        Alterations are those of tests/faults/altered.py.
        """
        port = port or str(free_port())
        name = f"bridge {len(self.bridges) + 1}"
        ports = {"BRIDGE_PORT": port, "BRIDGE_METRICS_PORT": self._metrics_port(name)}
        variables = {"BRIDGE_HOST": host, **ports, **overrides}
        child = self.start(name, "agent_bridge", variables, alterations)
        wait_until_ready(child, lambda: read_status(f"http://{host}:{port}/health") == 200)
        self.bridges.append(f"http://{host}:{port}")
        return child

    def start_door(
        self,
        *alterations: str,
        host: str = HOST,
        agents_port: str = "",
        port: str = "",
        **overrides: str,
    ) -> Child:
        """Start one more bridge with an agents' door; its URL is the last of `doors`.

        Alterations are those of tests/faults/altered.py.
        """
        agents_port = agents_port or str(free_port())
        door = {"AGENTS_HOST": host, "AGENTS_PORT": agents_port}
        child = self.start_bridge(*alterations, host=host, port=port, **door, **overrides)
        self.doors.append(f"ws://{host}:{agents_port}/ws")
        return child

    def log_of(self, name: str) -> str:
        """All that a process has written."""
        return (self.folder / f"{name}.log").read_text()

    def close(self) -> None:
        """End every process."""
        self._exits.close()
        rmtree(self.folder)

    def _start(
        self, start: StartModule, name: str, command: list[str], overrides: Mapping[str, str]
    ) -> Child:
        files = {"DEFAULT_FILES_FOLDER_NAME": str(self.files)}
        environment = {**os.environ, **files, **self.environment, **overrides}
        log = self.folder / f"{name}.log"
        child = start(name, command, log, environment=environment, folder=PROJECT)
        self.children[name] = child
        self._exits.enter_context(stopping(child))
        return child

    def _metrics_port(self, name: str) -> str:
        port = free_port()
        self.metrics[name] = f"http://{HOST}:{port}/metrics"
        return str(port)


@contextmanager
def run_system(
    environment: dict[str, str],
    start_module: StartModule = start_forked,
    of_services: Mapping[str, str] | None = None,
) -> Iterator[System]:
    """An installation without any process yet."""
    system = System(environment, start_module, of_services or {})
    try:
        yield system
    finally:
        system.close()


@frozen
class Stores:
    """The servers that installations share; the database of each is a copy of the template."""

    postgres: PostgresServer
    valkey: Reachable
    template: str = EMPTY
    of_services: Mapping[str, str] = field(factory=dict)
    """As whom the pair works with a copy of the template, where not as its owner."""

    @contextmanager
    def environment(self) -> Iterator[dict[str, str]]:
        """The variables of an installation with a database of its own; nothing runs yet."""
        with run_database(self.postgres, self.template) as database:
            yield make_environment(self.postgres, database, self.valkey, free_port())

    @contextmanager
    def system(
        self, start_module: StartModule = start_forked, /, **variables: str
    ) -> Iterator[System]:
        """An installation with a database of its own, without any process yet."""
        with (
            self.environment() as environment,
            run_system({**environment, **variables}, start_module, self.of_services) as system,
        ):
            yield system

    @contextmanager
    def one_of_each(self) -> Iterator[System]:
        """A router, a gateway and a bridge that are ready."""
        with self.system() as system:
            system.start_router()
            system.start_gateway()
            bridge = system.start_bridge()
            # Until then, agents that a test has inserted as active may be taken for gone.
            wait_until_ready(bridge, lambda: "the router was asked about" in bridge.log.read_text())
            yield system


def read_status(url: str) -> int | None:
    """The HTTP status of a URL, or None where nobody listens."""
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310 (an address of ours)
            return int(answer.status)
    except URLError as error:
        code = getattr(error, "code", None)
        return int(code) if code is not None else None
    except OSError:
        return None
