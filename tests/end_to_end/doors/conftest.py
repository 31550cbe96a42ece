"""The shared system here is the one whose agents come through the doors of two bridges."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.master import Master, run_master
from tests.sql import Sql, run_sql
from tests.system import System


@pytest.fixture(scope="session")
def system(door_system: System) -> System:
    return door_system


@pytest.fixture(scope="session")
def sql(system: System) -> Iterator[Sql]:
    with run_sql(system.settings) as sql:
        yield sql


@pytest.fixture(params=[0, 1])
async def master(system: System, request: pytest.FixtureRequest) -> AsyncIterator[Master]:
    """A master agent at either door."""
    async with run_master(system.router_url, door_url=system.doors[request.param]) as master:
        yield master
