"""Lists from a standby: what a caller has written is in them, whatever becomes of the standby."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import psycopg
import pytest
from databases import Database
from databases.core import Connection
from prometheus_client import REGISTRY

from devstack.postgres import PostgresServer, run_postgres
from gateway.web import replica
from gateway.web.replica import Replica
from shared.postgres.pool import connect, create_database
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.pooler import Pooler, run_pooler
from tests.shared.line import run_line
from tests.system import elsewhere, url_of
from tests.users import eventually

SELECT = "SELECT pg_is_in_recovery() AS is_standby, coalesce(max(number), 0) AS number FROM written"
TURNS = 200


@contextmanager
def following(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """A standby of it."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        password = postgres.password
        with run_postgres(folder, password=password, fast=True, primary=postgres) as server:
            yield server


@pytest.fixture(scope="module")
def lasting(postgres: PostgresServer) -> Iterator[PostgresServer]:
    with following(postgres) as server:
        yield server


@pytest.fixture
def standby(lasting: PostgresServer) -> PostgresServer:
    """One for all tests, which leave it as it was."""
    return lasting


@pytest.fixture
def mortal(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """One of the test's own."""
    with following(postgres) as server:
        yield server


@pytest.fixture
def pooler(standby: PostgresServer) -> Iterator[Pooler]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with run_pooler(folder, standby) as running:
            yield running


@pytest.fixture
async def primary(environment: dict[str, str]) -> AsyncIterator[Database]:
    async with create_database(read_settings(environment, Settings)) as database:
        async with connect(database) as connection:
            await connection.execute("CREATE TABLE written (number int)")
        yield database


@asynccontextmanager
async def copied(environment: dict[str, str], standby: PostgresServer) -> AsyncIterator[Database]:
    """The test's database as that standby has it."""
    settings = read_settings(environment, Settings)

    async def is_there() -> bool:
        try:
            with psycopg.connect(url_of(standby, settings.postgres_db)) as connection:
                connection.execute("SELECT FROM written")
        except psycopg.Error:
            return False
        return True

    await eventually(is_there, "the standby has the database")
    async with create_database(elsewhere(settings, ports=(standby.port,))) as database:
        yield database


@pytest.fixture
async def copy(
    environment: dict[str, str], primary: Database, standby: PostgresServer
) -> AsyncIterator[Database]:
    async with copied(environment, standby) as database:
        yield database


@pytest.fixture
async def mortal_copy(
    environment: dict[str, str], primary: Database, mortal: PostgresServer
) -> AsyncIterator[Database]:
    async with copied(environment, mortal) as database:
        yield database


async def write(database: Database, number: int) -> None:
    async with connect(database) as connection:
        await connection.execute("INSERT INTO written VALUES (:number)", {"number": number})


async def read(connection: Connection) -> tuple[bool, int]:
    row = await connection.fetch_one(SELECT)
    assert row is not None
    return row["is_standby"], row["number"]


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("genai_standby_reads_total", {"outcome": outcome}) or 0.0


def command(server: PostgresServer, statement: str) -> None:
    with psycopg.connect(url_of(server, "postgres"), autocommit=True) as connection:
        connection.execute(statement)


async def test_what_was_just_written_is_read_from_the_standby(
    primary: Database, copy: Database
) -> None:
    lists = Replica(primary, copy)
    before = counted("standby")
    for number in range(1, TURNS + 1):
        await write(primary, number)
        assert (await lists.read(read))[1] == number
    assert counted("standby") - before > TURNS / 2


async def test_of_many_at_once_each_reads_what_it_has_written(
    primary: Database, copy: Database
) -> None:
    lists = Replica(primary, copy)

    async def use(number: int) -> None:
        for turn in range(20):
            written = 1000 * turn + number
            await write(primary, written)
            assert (await lists.read(read))[1] >= written

    await asyncio.gather(*map(use, range(8)))


async def test_of_a_standby_that_is_behind_nothing_is_read(
    primary: Database, copy: Database, standby: PostgresServer
) -> None:
    lists = Replica(primary, copy)
    command(standby, "SELECT pg_wal_replay_pause()")
    await write(primary, 1)
    before = counted("behind")
    assert await lists.read(read) == (False, 1)
    assert counted("behind") == before + 1
    command(standby, "SELECT pg_wal_replay_resume()")

    async def is_read() -> bool:
        return await lists.read(read) == (True, 1)

    await eventually(is_read, "the standby is read again")


async def test_without_its_standby_lists_come_from_the_primary_and_it_is_let_alone(
    primary: Database,
    mortal_copy: Database,
    mortal: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replica, "REST_SECONDS", 60)
    lists = Replica(primary, mortal_copy)
    await write(primary, 1)
    assert (await lists.read(read))[1] == 1
    mortal.child.kill()
    before = counted("failed")
    for _ in range(3):
        assert await lists.read(read) == (False, 1)
    assert counted("failed") == before + 1


async def test_a_standby_that_was_promoted_is_read_as_it_is(
    primary: Database, mortal_copy: Database, mortal: PostgresServer
) -> None:
    command(mortal, "SELECT pg_promote()")
    assert await Replica(primary, mortal_copy).read(read) == (False, 0)


async def test_without_a_standby_the_primary_is_read(primary: Database) -> None:
    await write(primary, 1)
    assert await Replica(primary, None).read(read) == (False, 1)


async def test_for_a_standby_that_is_silent_nobody_waits_long(
    environment: dict[str, str], primary: Database, copy: Database, standby: PostgresServer
) -> None:
    settings = read_settings(environment, Settings)
    await write(primary, 1)
    assert await Replica(primary, copy).read(read) == (True, 1)
    async with (
        run_line(standby.port) as line,
        create_database(elsewhere(settings, ports=(line.port,))) as silent,
    ):
        lists = Replica(primary, silent)
        assert await lists.read(read) == (True, 1)
        line.stall()
        began = monotonic()
        assert await lists.read(read) == (False, 1)
        assert not await lists.is_up()
        assert monotonic() - began < 2 * (replica.ANSWER_SECONDS + replica.UP_SECONDS)
        began = monotonic()
        assert await lists.read(read) == (False, 1)
        assert monotonic() - began < replica.ANSWER_SECONDS / 2
        await line.mend()
        assert await lists.is_up()


async def test_a_pooler_asks_one_standby_how_far_it_is_and_for_the_list(
    environment: dict[str, str],
    primary: Database,
    copy: Database,
    pooler: Pooler,
) -> None:
    async def is_in_transaction(connection: Connection) -> tuple[bool, tuple[bool, int]]:
        return connection.raw_connection.is_in_transaction(), await read(connection)

    async def until_read(standby: Database, expected: tuple[bool, tuple[bool, int]]) -> None:
        async def is_read() -> bool:
            return await Replica(primary, standby).read(is_in_transaction) == expected

        await eventually(is_read, "the standby is as far as others have brought the primary")

    settings = read_settings(environment, Settings)
    await write(primary, 1)
    await until_read(copy, (False, (True, 1)))
    async with create_database(elsewhere(settings, ports=(pooler.port,))) as pooled:
        await until_read(pooled, (True, (True, 1)))
