"""Wherever PostgreSQL is and whatever its names and passwords have: all three drivers get there."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from devstack.postgres import PostgresServer
from shared.postgres.apart import connect_apart
from shared.postgres.pool import connect, create_database
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from shared.upgrade.migrate import migrate
from tests.shared.line import run_line
from tests.system import make_secrets, url_of

ODD = """ O'Neil "x" @:/?#[]&=+%41\\é"""
IPV6, BRACKETS, SOCKET = "::1", "[::1]", "Socket Folder"


@pytest.fixture
def role(postgres: PostgresServer) -> Iterator[str]:
    """A user whose name, password and database are all the same odd text."""
    name = f"{uuid4().hex[:8]}{ODD}"
    names = {"name": sql.Identifier(name), "password": sql.Literal(name)}
    with psycopg.connect(url_of(postgres, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {name} LOGIN PASSWORD {password}").format(**names))
        connection.execute(sql.SQL("CREATE DATABASE {name} OWNER {name}").format(**names))
        yield name
        connection.execute(sql.SQL("DROP DATABASE {name} (FORCE)").format(**names))
        connection.execute(sql.SQL("DROP ROLE {name}").format(**names))


@pytest.fixture(params=[IPV6, BRACKETS, SOCKET])
async def placed(
    request: pytest.FixtureRequest, postgres: PostgresServer, role: str, tmp_path: Path
) -> AsyncIterator[Settings]:
    """The settings of a server that is there, and nowhere else."""
    async with run_line(postgres.port) as line, AsyncExitStack() as stack:
        host, port = request.param, 5432
        if host == SOCKET:
            (folder := tmp_path / SOCKET).mkdir()
            host = str(folder)
            server = await asyncio.start_unix_server(line.accept, folder / f".s.PGSQL.{port}")
        else:
            server = await asyncio.start_server(line.accept, IPV6, 0)
            port = server.sockets[0].getsockname()[1]
        stack.callback(server.close)
        variables = {
            **make_secrets(),
            "POSTGRES_HOST": host,
            "POSTGRES_PORT": str(port),
            "POSTGRES_USER": role,
            "POSTGRES_PASSWORD": role,
            "POSTGRES_DB": role,
        }
        yield read_settings(variables, Settings)


async def test_all_drivers_get_there_as_who_they_are(placed: Settings, role: str) -> None:
    question, who = "SELECT current_user || current_database()", role + role
    async with create_database(placed) as database, connect(database) as connection:
        assert await connection.fetch_val(question) == who
    lock = await connect_apart(placed, "test")
    assert await lock.fetchval(question) == who
    lock.terminate()
    async with await psycopg.AsyncConnection.connect(placed.database_url) as other:
        assert await (await other.execute(question)).fetchone() == (who,)


async def test_it_can_be_migrated(placed: Settings) -> None:
    assert len(await asyncio.to_thread(migrate, placed.database_url)) > 5
    assert await asyncio.to_thread(migrate, placed.database_url) == []
