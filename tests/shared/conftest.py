"""Settings whose database is an empty one that nobody writes to, and a line to it to cut."""

from collections.abc import AsyncIterator

import pytest

from devstack.postgres import PostgresServer
from devstack.valkey import ValkeyServer
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.shared.line import Line, run_line
from tests.system import make_environment


@pytest.fixture(scope="session")
def variables(postgres: PostgresServer, valkey: ValkeyServer) -> dict[str, str]:
    return {**make_environment(postgres, "postgres", valkey, 1), "DATABASE_POOL_SIZE": "2"}


@pytest.fixture
async def line(postgres: PostgresServer) -> AsyncIterator[Line]:
    async with run_line(postgres.port) as line:
        yield line


@pytest.fixture
def settings(variables: dict[str, str]) -> Settings:
    return read_settings(variables, Settings)


@pytest.fixture
def line_settings(variables: dict[str, str], line: Line) -> Settings:
    """Settings whose PostgreSQL is at the other end of the line."""
    return read_settings({**variables, "POSTGRES_PORT": str(line.port)}, Settings)
