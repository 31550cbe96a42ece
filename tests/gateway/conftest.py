"""Users that many tests share, and a database that nobody serves."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from shared.settings import Settings, read_settings
from tests.system import Stores, System
from tests.users import User, connect_to, register_user


@pytest.fixture(scope="session")
async def reader(system: System) -> AsyncIterator[User]:
    """Somebody whom tests share that leave no trace behind."""
    async with register_user(system.gateway) as user:
        yield user


@pytest.fixture(scope="session")
async def visitor(system: System) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without credentials."""
    async with connect_to(system.gateway) as http:
        yield http


@pytest.fixture(scope="session")
def settings(stores: Stores) -> Iterator[Settings]:
    """Settings with a migrated database that no process serves."""
    with stores.environment() as environment:
        yield read_settings(environment, Settings)
