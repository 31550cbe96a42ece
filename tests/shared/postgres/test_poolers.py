"""Behind a pooler statements meet no other's, and what stands there is known."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import asyncpg
import attrs
import psycopg
import pytest
from databases import Database
from psycopg.sql import SQL, Identifier

from devstack.postgres import PostgresServer
from shared.postgres.apart import connect_apart, look_before
from shared.postgres.pool import connect, create_database, transaction
from shared.postgres.poolers import Front, PoolerError
from shared.settings.installation import Settings
from tests.pooler import Pooler, run_pooler
from tests.system import elsewhere, run_database, url_of

STATEMENTS = 40
TIMES = 100


@pytest.fixture
def pooler(tmp_path: Path, postgres: PostgresServer) -> Iterator[Pooler]:
    """One that has two sessions for all."""
    with run_pooler(tmp_path, postgres, default_pool_size="2") as pooler:
        yield pooler


@pytest.fixture
def pooled(settings: Settings, pooler: Pooler) -> Settings:
    return elsewhere(attrs.evolve(settings, database_pool_size=8), ports=(pooler.port,))


@pytest.fixture
async def database(pooled: Settings) -> AsyncIterator[Database]:
    async with create_database(pooled) as database:
        yield database


async def look(settings: Settings) -> Front:
    connection = await connect_apart(settings, "test")
    try:
        return await look_before(settings, connection)
    finally:
        connection.terminate()


async def test_nothing_is_found_where_nothing_stands(settings: Settings) -> None:
    assert await look(settings) == Front(None, has_limits=True)


@pytest.mark.parametrize("mode", ["transaction", "session"])
async def test_the_mode_of_a_pooler_is_found(
    settings: Settings, postgres: PostgresServer, tmp_path: Path, mode: str
) -> None:
    with run_pooler(tmp_path, postgres, pool_mode=mode) as pooler:
        at_pooler = elsewhere(settings, ports=(pooler.port,))
        assert [await look(at_pooler) for _ in range(3)] == [Front(mode, has_limits=False)] * 3


async def test_whether_postgresql_has_limits_is_found(
    pooled: Settings, postgres: PostgresServer
) -> None:
    with run_database(postgres) as name:
        own = elsewhere(pooled, database=name)
        with psycopg.connect(url_of(postgres, name), autocommit=True) as connection:
            connection.execute(
                SQL("ALTER DATABASE {} SET lock_timeout = '3s'").format(Identifier(name))
            )
        assert (await look(own)).has_limits


async def test_a_time_zone_that_is_not_passed_on_is_refused(
    pooled: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.postgres.apart.ZONE", "Asia/Tokyo")
    with pytest.raises(PoolerError, match="`ALTER ROLE postgres SET timezone = 'UTC'`"):
        await look(pooled)


async def test_transaction_mode_is_found_while_others_work(
    pooled: Settings, database: Database
) -> None:
    async def work() -> None:
        async with connect(database) as connection:
            while True:
                await connection.fetch_val("SELECT 1")

    async with asyncio.TaskGroup() as tasks:
        working = [tasks.create_task(work()) for _ in range(5)]
        assert (await look(pooled)).mode == "transaction"
        for task in working:
            task.cancel()


async def test_statement_mode_is_refused_with_what_to_set(
    settings: Settings, postgres: PostgresServer, tmp_path: Path
) -> None:
    with (
        run_pooler(tmp_path, postgres, pool_mode="statement") as pooler,
        pytest.raises(PoolerError, match="please set `pool_mode = transaction`"),
    ):
        await look(elsewhere(settings, ports=(pooler.port,)))


async def test_statements_of_all_meet_no_other_s(pooled: Settings, database: Database) -> None:
    async def ask(database: Database, number: int) -> None:
        for time in range(TIMES):
            statement = (time * number) % STATEMENTS
            sql = f"SELECT CAST(:it AS text) || ' {statement}'"
            async with connect(database) as connection:
                value = f"{number} {time}"
                assert await connection.fetch_val(sql, {"it": value}) == f"{value} {statement}"

    async with create_database(pooled) as other, asyncio.TaskGroup() as tasks:
        for number in range(16):
            tasks.create_task(ask((database, other)[number % 2], number))


async def test_named_ones_that_get_there_all_the_same_meet_no_other_s(
    pooled: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: defaultdict[int, Iterator[int]] = defaultdict(count)

    def name_as_in_a_process_of_its_own(connection: object, prefix: str) -> str:
        return f"{prefix}_{next(counts[id(connection)])}"

    monkeypatch.setattr(asyncpg.Connection, "_get_unique_id", name_as_in_a_process_of_its_own)

    async def ask(name: str) -> None:
        connection = await connect_apart(pooled, "test")
        connection._stmt_cache_enabled = True  # as if nobody had found the pooler
        for time in range(TIMES):
            statement = f"SELECT CAST($1 AS text) || ' {time % 5} of {name}'"
            with suppress(asyncpg.InvalidSQLStatementNameError):
                assert await connection.fetchval(statement, name) == f"{name} {time % 5} of {name}"
        connection.terminate()

    async with asyncio.TaskGroup() as tasks:
        for number in range(6):
            tasks.create_task(ask(str(number)))


async def test_settings_are_those_of_a_session_of_one_s_own(
    settings: Settings, database: Database
) -> None:
    sql = """
        SELECT current_setting('TimeZone') AS zone,
               current_setting('application_name') AS name, CAST('{"a": 1}' AS jsonb) AS json
    """
    async with create_database(settings) as direct, connect(direct) as connection:
        [expected] = await connection.fetch_all(sql)
    async with connect(database) as connection:
        for _ in range(2):
            assert await connection.fetch_all(sql) == [expected]


async def test_transactions_are_whole(database: Database) -> None:
    async with connect(database) as connection, transaction(connection):
        pids = {await connection.fetch_val("SELECT pg_backend_pid()") for _ in range(5)}
        async with transaction(connection):
            pids.add(await connection.fetch_val("SELECT pg_backend_pid()"))
    assert len(pids) == 1


async def test_looking_types_up_leaves_no_setting_behind(
    pooled: Settings, postgres: PostgresServer
) -> None:
    async def ask(database: Database) -> None:
        async with connect(database) as connection:
            assert await connection.fetch_val("SELECT CAST('good' AS mood)") == "good"

    with run_database(postgres) as name:
        own = attrs.evolve(pooled, postgres_db=name)
        async with create_database(own) as database:
            async with connect(database) as connection:
                await connection.execute("CREATE TYPE mood AS ENUM ('good')")
            await asyncio.gather(*(asyncio.create_task(ask(database)) for _ in range(40)))
            one, other = [await connect_apart(own, "test") for _ in range(2)]
            async with one.transaction(), other.transaction():  # all the sessions that there are
                assert [await each.fetchval("SHOW jit") for each in (one, other)] == ["on", "on"]
            one.terminate()
            other.terminate()
