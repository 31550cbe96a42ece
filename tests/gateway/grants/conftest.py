"""A gateway that knows where browsers find it."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.gateway.grants.authority import Authority, protected
from tests.gateway.outsiders import Outsider
from tests.system import System
from tests.users import User, connect_to

PUBLIC = "https://chat.example.com/genai"


@pytest.fixture(scope="session")
def public(system: System) -> str:
    """The URL of a gateway of the shared system's database, with a PUBLIC_URL."""
    system.start_gateway(PUBLIC_URL=PUBLIC)
    return system.gateways.pop()


@pytest.fixture
async def person(public: str, user: User) -> AsyncIterator[User]:
    """The user there."""
    async with connect_to(public, Authorization=f"Bearer {user.token}") as http:
        yield User(http, user.id, user.name, user.token)


@pytest.fixture
async def other_person(public: str, other_user: User) -> AsyncIterator[User]:
    """Somebody else there."""
    token = other_user.token
    async with connect_to(public, Authorization=f"Bearer {token}") as http:
        yield User(http, other_user.id, other_user.name, token)


@pytest.fixture
async def browser(system: System) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser, which comes to another gateway than where the log-in began."""
    async with connect_to(system.gateway) as http:
        yield http


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def outsider(authority: Authority) -> AsyncIterator[Outsider]:
    async with protected(authority) as server:
        yield server
