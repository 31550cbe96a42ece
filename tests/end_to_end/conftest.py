"""Installations that the tests of one module share."""

from collections.abc import Iterator

import pytest

from devstack.postgres import PostgresServer
from devstack.processes import free_port
from devstack.valkey import ValkeyServer
from tests.system import System, create_database, drop_database, make_environment, run_system


@pytest.fixture(scope="module")
def module_system(
    postgres: PostgresServer, valkey: ValkeyServer, template: str
) -> Iterator[System]:
    """An installation of the module's own with a router; it starts the services that it wants."""
    database = create_database(postgres, template)
    with run_system(make_environment(postgres, database, valkey, free_port())) as system:
        system.start_router()
        yield system
    drop_database(postgres, database)
