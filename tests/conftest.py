"""One PostgreSQL and one Valkey for the whole run; a database, or a whole system, for each need."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from devstack.postgres import PostgresServer, run_postgres
from devstack.valkey import ValkeyServer, run_valkey
from shared.upgrade.migrate import grant, migrate
from tests.master import Master, run_master
from tests.sql import Sql, run_sql
from tests.system import Stores, System, make_role, make_secrets, run_database, url_of
from tests.users import User, insert_user

SLOWEST = (
    "tests/end_to_end/test_readme_commands.py",
    "tests/faults/test_load.py",
    "tests/estates/test_failover.py",
    "tests/gateway/openapi/test_any_request.py",
    "tests/faults/test_doors.py",
    "tests/gateway/ownership/test_operations.py",
    "tests/migrations/test_online.py",
    "tests/end_to_end/test_pages.py",
    "tests/migrations/test_adoption.py",
    "tests/estates/test_chats.py",
    "tests/agent_bridge/requests/test_asked_agents.py",
    "tests/gateway/web/test_forms.py",
    "tests/end_to_end/test_many_users.py",
    "tests/end_to_end/doors/test_matrix.py",
    "tests/end_to_end/socket/test_reconnecting.py",
    "tests/end_to_end/socket/test_idle_sockets.py",
    "tests/faults/test_crash_points.py",
    "tests/shared/process/test_starting.py",
    "tests/shared/process/test_behind_a_pooler.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest files come first: a worker that begins one last would end long after the others.

    They wait more than they work, so most of them are tried side by side. Of tests with one name
    workers would run only one.
    """
    names = Counter(item.nodeid for item in items)
    if twice := [name for name, count in names.items() if count > 1]:
        raise pytest.UsageError(f"several tests are called {', '.join(twice)}")
    ranks = {name: rank for rank, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: ranks.get(item.nodeid.partition("::")[0], len(ranks)))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's own user has to enter it
        with run_postgres(
            folder, password=make_secrets()["POSTGRES_PASSWORD"], fast=True
        ) as server:
            yield server


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    with TemporaryDirectory() as folder, run_valkey(Path(folder)) as server:
        yield server


@pytest.fixture(scope="session")
def stores(postgres: PostgresServer, valkey: ValkeyServer) -> Iterator[Stores]:
    """Both servers, with a migrated database to copy."""
    with run_database(postgres) as template:
        url, role = url_of(postgres, template), make_role(postgres)
        migrate(url)
        grant(url, role["POSTGRES_USER"])
        yield Stores(postgres, valkey, template, role)


@pytest.fixture
def environment(stores: Stores) -> Iterator[dict[str, str]]:
    """The variables of an installation with an empty database; nothing runs yet."""
    with stores.environment() as environment:
        yield environment


@pytest.fixture
def bare_system(stores: Stores) -> Iterator[System]:
    """An installation of the test's own, to start, kill and restart parts of."""
    with stores.system() as system:
        yield system


@pytest.fixture(scope="session")
def system(stores: Stores) -> Iterator[System]:
    """A router, a gateway and a bridge that many tests share; each makes users of its own."""
    with stores.one_of_each() as system:
        yield system


@pytest.fixture(scope="session")
def door_system(stores: Stores) -> Iterator[System]:
    """The same with two bridges, each of them a door for agents."""
    with stores.system() as system:
        system.start_router()
        system.start_gateway()
        for _ in range(2):
            system.start_door()
        yield system


@pytest.fixture(scope="module")
def module_system(stores: Stores) -> Iterator[System]:
    """An installation of the module's own with a router; it starts the services that it wants."""
    with stores.system() as system:
        system.start_router()
        yield system


@pytest.fixture(scope="session")
def sql(system: System) -> Iterator[Sql]:
    """Runs a statement in the shared system's database and returns its rows."""
    with run_sql(system.settings) as sql:
        yield sql


@pytest.fixture
async def user(system: System, sql: Sql) -> AsyncIterator[User]:
    """A user of the shared system with a provider and a model config."""
    async with insert_user(system, sql) as user:
        yield user


@pytest.fixture
async def other_user(system: System, sql: Sql) -> AsyncIterator[User]:
    """Somebody else there."""
    async with insert_user(system, sql) as user:
        yield user


@pytest.fixture
async def master(system: System) -> AsyncIterator[Master]:
    """A master agent at the shared router; it echoes until a test tells it otherwise."""
    async with run_master(system.router_url) as master:
        yield master
