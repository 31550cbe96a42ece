"""Users that many tests share, and the gateway's database by SQL."""

import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
import pytest
from psycopg.rows import dict_row

from shared.settings import Settings, read_settings
from shared.tokens import issue_user_token
from tests.system import Stores, System
from tests.users import User, register_user

type Sql = Callable[..., list[dict[str, Any]]]

SSL_CONTEXT = ssl.create_default_context()  # takes a client 50 ms to make, and is never used


@pytest.fixture(scope="session")
async def reader(system: System) -> AsyncIterator[User]:
    """Somebody whom tests share that leave no trace behind."""
    async with register_user(system.gateway) as user:
        yield user


@pytest.fixture(scope="session")
async def visitor(system: System) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without credentials."""
    async with _connect(system) as http:
        yield http


@pytest.fixture(scope="session")
def sql(system: System) -> Iterator[Sql]:
    """Runs a statement in the shared system's database and returns its rows."""
    with run_sql(system.settings) as sql:
        yield sql


@contextmanager
def run_sql(settings: Settings) -> Iterator[Sql]:
    """What runs statements in the database of these settings."""
    url = settings.database_url
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:

        def run(statement: str, *values: object) -> list[dict[str, Any]]:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

        yield run


def _connect(system: System, **headers: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        base_url=system.gateway, timeout=30, verify=SSL_CONTEXT, headers=headers
    )


@asynccontextmanager
async def _insert_user(system: System, sql: Sql) -> AsyncIterator[User]:
    """A user without a password, which would take longer to hash than most tests run."""
    id_ = uuid4()
    name = f"user-{id_}"
    sql("INSERT INTO users (id, username, password) VALUES (%s, %s, '-')", id_, name)
    token = issue_user_token(system.settings.secret_key, id_)
    async with _connect(system, Authorization=f"Bearer {token}") as http:
        user = User(http, str(id_), name, token)
        await user.create_config()
        yield user


@pytest.fixture
async def user(system: System, sql: Sql) -> AsyncIterator[User]:
    """A user of the shared system with a provider and a model config."""
    async with _insert_user(system, sql) as user:
        yield user


@pytest.fixture
async def other_user(system: System, sql: Sql) -> AsyncIterator[User]:
    """Somebody else there."""
    async with _insert_user(system, sql) as user:
        yield user


@pytest.fixture(scope="session")
def settings(stores: Stores) -> Iterator[Settings]:
    """Settings with a migrated database that no process serves."""
    with stores.environment() as environment:
        yield read_settings(environment, Settings)
