"""A user and a client that all tests here share."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from tests.system import Stores, System
from tests.users import User, register_user


@pytest.fixture(scope="session")
def system(stores: Stores) -> Iterator[System]:
    """One of its own: what the bridge sends first depends on the master agents that it has met."""
    with stores.one_of_each() as system:
        yield system


@pytest.fixture(scope="session")
async def visitor(system: System) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without credentials."""
    async with httpx2.AsyncClient(base_url=system.gateway, timeout=30, verify=False) as http:
        yield http


@pytest.fixture(scope="session")
async def member(system: System) -> AsyncIterator[User]:
    """Somebody with a provider and a model config, as who sits at the front-end."""
    async with register_user(system.gateway) as user:
        await user.create_config()
        yield user
