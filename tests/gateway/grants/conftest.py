"""A gateway that knows where browsers find it."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx2
import pytest
from databases import Database

from gateway.grants.renewing import Renewals
from shared.postgres.pool import create_database
from shared.secrets import Vault
from tests.gateway.grants.authority import Authority, protected
from tests.gateway.grants.logins import add, log_in
from tests.gateway.grants.renewals import OUT
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


@pytest.fixture
def vault(system: System) -> Vault:
    return Vault(system.settings.encryption_keys)


@pytest.fixture
async def database(system: System) -> AsyncIterator[Database]:
    async with create_database(system.settings) as database:
        yield database


@pytest.fixture
async def renewals(database: Database, vault: Vault) -> Renewals:
    """Those of a gateway; the system's own find nothing due before it does."""
    return Renewals(database, vault, OUT)


@pytest.fixture
async def server_id(person: User, browser: httpx2.AsyncClient, outsider: Outsider) -> UUID:
    """A server where the user has logged in."""
    added = await add(person, outsider)
    await log_in(person, browser, added["id"])
    return UUID(added["id"])
