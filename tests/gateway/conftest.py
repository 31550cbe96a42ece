"""Users that many tests share, and a database that nobody serves."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.gateway.files.uploading import upload
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


@pytest.fixture
async def file(user: User) -> str:
    """A text file of the user."""
    return await upload(user.http)


@pytest.fixture
async def agent(user: User) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with the token of an agent of the user."""
    token = (await user.register_agent("painter", "paints"))["jwt"]
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(
        base_url=user.http.base_url, headers=headers, verify=False, timeout=30
    ) as http:
        yield http
