"""Of several hosts both drivers use the one that can be written to, and so does what uses them."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import httpx
import psycopg
import pytest
from attrs import frozen
from psycopg import sql

from devstack.postgres import PostgresServer, run_postgres
from devstack.processes import HOST, free_port
from devstack.valkey import ValkeyServer
from shared.postgres.apart import STATEMENT_SECONDS, connect_apart
from shared.postgres.pool import ACQUIRE_SECONDS, connect, create_database
from shared.process import starting
from shared.process.starting import StartError, require_postgres
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from shared.upgrade.migrate import migrate
from tests.system import (
    System,
    make_environment,
    make_secrets,
    run_database,
    run_system,
    url_of,
    with_url,
)

PORT = "SELECT inet_server_port()"


@frozen
class Pair:
    """Two servers with a database of the same name, and the port of one that reads only."""

    name: str
    password: str
    reading: int
    writing: int

    def settings(self, *ports: int) -> Settings:
        """Those of an installation that knows them in this order."""
        hosts = ",".join(f"{HOST}:{port}" for port in ports)
        url = f"postgresql://postgres:{self.password}@{hosts}/{self.name}"
        variables = {**make_secrets(), "POSTGRES_PASSWORD": "", "DATABASE_URL": url}
        return read_settings(variables, Settings)


@pytest.fixture(scope="module")
def pair(postgres: PostgresServer) -> Iterator[Pair]:
    with TemporaryDirectory() as folder, run_database(postgres) as name:
        Path(folder).chmod(0o755)  # PostgreSQL's own user has to enter it
        with run_postgres(Path(folder), password=postgres.password, fast=True) as other:
            with psycopg.connect(url_of(other, "postgres"), autocommit=True) as connection:
                identifier = sql.Identifier(name)
                connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
                statement = "ALTER DATABASE {} SET default_transaction_read_only = on"
                connection.execute(sql.SQL(statement).format(identifier))
            yield Pair(name, postgres.password, other.port, postgres.port)


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of somebody who takes connections and never says a word."""
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


async def ports_of(settings: Settings) -> list[int]:
    """Where all ways lead."""
    async with create_database(settings) as database, connect(database) as connection:
        pool = await connection.fetch_val(PORT)
    lock = await connect_apart(settings, "test")
    apart = await lock.fetchval(PORT)
    lock.terminate()
    conninfo = settings.database_url
    async with await psycopg.AsyncConnection.connect(conninfo, connect_timeout=2) as other:
        [libpq] = await (await other.execute(PORT)).fetchone() or []
    return [pool, apart, libpq]


async def test_one_that_is_dead_is_passed_by(pair: Pair) -> None:
    assert await ports_of(pair.settings(free_port(), pair.writing)) == [pair.writing] * 3
    assert await ports_of(pair.settings(pair.writing, free_port())) == [pair.writing] * 3


async def test_one_that_can_not_be_written_to_is_passed_by(pair: Pair) -> None:
    assert await ports_of(pair.settings(pair.reading, pair.writing)) == [pair.writing] * 3


async def test_one_that_is_silent_takes_its_share_of_the_time_only(pair: Pair, silent: int) -> None:
    began = monotonic()
    assert await ports_of(pair.settings(silent, pair.writing)) == [pair.writing] * 3
    assert monotonic() - began < ACQUIRE_SECONDS / 2 + STATEMENT_SECONDS / 2 + 4


async def test_where_none_can_be_written_to_that_is_said(pair: Pair) -> None:
    settings = pair.settings(free_port(), pair.reading)
    database = create_database(settings)
    with pytest.raises(Exception, match="None of the hosts match"):
        await database.connect()


def test_who_is_not_reached_is_named_without_a_password(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "REACH_SECONDS", 0.1)
    dead = free_port()
    with pytest.raises(StartError) as caught:
        require_postgres(pair.settings(pair.reading, dead))
    told = str(caught.value)
    assert told.startswith(f"PostgreSQL at {HOST}:{pair.reading} or {HOST}:{dead} can't be used: ")
    assert pair.password not in told


async def test_the_installation_runs_while_one_is_dead(
    postgres: PostgresServer, valkey: ValkeyServer
) -> None:
    hosts = f"{HOST}:{free_port()},{HOST}:{postgres.port}"
    with run_database(postgres) as name:
        environment = make_environment(postgres, name, valkey, 1)
        url = f"postgres://postgres:{postgres.password}@{hosts}/{name}"
        with run_system(with_url(environment, url)) as system:
            await _run(system, postgres.password)


async def _run(system: System, password: str) -> None:
    assert len(await asyncio.to_thread(migrate, system.settings.database_url)) > 5
    system.start_gateway()
    system.start_bridge()
    async with httpx.AsyncClient() as client:
        for service in (system.gateway, system.bridges[0]):
            found = (await client.get(f"{service}/ready")).text
            assert '"postgresql":{"is_up":true' in found
            assert password not in found
    assert password not in system.log_of("gateway 1") + system.log_of("bridge 1")
