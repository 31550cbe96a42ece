"""The pool: a connection for each task, a bounded wait, one error for a server that is away."""

import asyncio
from functools import partial
from time import monotonic
from typing import Any

import asyncpg
import attrs
import pytest
from databases import Database

from devstack.processes import HOST
from shared.postgres.pool import (
    ACQUIRE_SECONDS,
    DatabaseAwayError,
    columns,
    connect,
    create_database,
    give_back,
    transaction,
)
from shared.postgres.statements import CANCEL_SECONDS, LARGE_ANSWERS, MANY_ROWS, translate
from shared.settings.installation import Settings
from tests.shared.line import Line
from tests.system import elsewhere


async def ask(database: Database, statement: str = "SELECT 5") -> int:
    async with connect(database) as connection:
        return int(await connection.fetch_val(statement))


async def test_a_statement_is_answered(settings: Settings) -> None:
    async with create_database(settings) as database:
        assert await ask(database) == 5


async def test_a_statement_is_planned_once_for_all_values_where_that_is_wanted(
    settings: Settings,
) -> None:
    statement = "SELECT CAST(:ids AS int[]) AS ids"
    counts = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = :sql"
    async with create_database(settings, plans_once=True) as database, connect(database) as session:
        for ids in ([1], [1, 2]):
            row = await session.fetch_one(statement, {"ids": ids})
            assert row is not None
            assert row["ids"] == ids
        row = await session.fetch_one(counts, {"sql": translate(statement)[0]})
    assert row is not None
    assert columns(row) == {"generic_plans": 2, "custom_plans": 0}


async def test_a_server_that_went_away_is_one_error(line_settings: Settings, line: Line) -> None:
    async with create_database(line_settings) as database:
        await ask(database)
        await line.cut()
        with pytest.raises(DatabaseAwayError):
            await ask(database)


async def test_a_server_that_goes_away_within_a_block_is_the_same_error(
    line_settings: Settings, line: Line
) -> None:
    async with create_database(line_settings) as database:

        async def lose() -> None:
            async with connect(database) as connection:
                await line.cut()
                await connection.fetch_val("SELECT 5")

        with pytest.raises(DatabaseAwayError):
            await lose()


async def test_the_same_task_can_ask_again_when_the_server_is_back(
    line_settings: Settings, line: Line
) -> None:
    async with create_database(line_settings) as database:
        await ask(database)
        await line.cut()
        for _ in range(3):
            with pytest.raises(DatabaseAwayError):
                await ask(database)
        await line.mend()
        assert await ask(database) == 5


async def test_the_same_task_can_ask_again_when_its_connection_could_not_be_given_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = asyncpg.Pool.release

    async def fail(*arguments: Any, **options: Any) -> None:
        monkeypatch.undo()
        await release(*arguments, **options)
        raise asyncpg.InternalClientError("cannot switch to state 15")

    async with create_database(settings) as database:
        monkeypatch.setattr(asyncpg.Pool, "release", fail)
        with pytest.raises(DatabaseAwayError):
            async with connect(database):
                raise LookupError
        for _ in range(2):
            async with connect(database) as connection:
                assert await connection.fetch_val("SELECT 2") == 2


async def test_a_task_that_is_cancelled_while_it_gives_its_connection_back_can_ask_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, releasing, go_on = asyncpg.Pool.release, asyncio.Event(), asyncio.Event()

    async def wait(*arguments: Any, **options: Any) -> None:
        monkeypatch.undo()
        releasing.set()
        await asyncio.shield(asyncio.gather(go_on.wait(), release(*arguments, **options)))

    async def go_on_after_cancellation(database: Database) -> int:
        with pytest.raises(asyncio.CancelledError):
            async with connect(database):
                raise LookupError
        return await ask(database)

    async with create_database(attrs.evolve(settings, database_pool_size=1)) as database:
        monkeypatch.setattr(asyncpg.Pool, "release", wait)
        task = asyncio.create_task(go_on_after_cancellation(database))
        await releasing.wait()
        task.cancel()
        assert await task == 5
        go_on.set()


async def test_a_connection_that_was_given_back_is_lent_again(settings: Settings) -> None:
    async with create_database(settings) as database:
        backends = [await ask(database, "SELECT pg_backend_pid()") for _ in range(3)]
        assert len(set(backends)) == 1


async def test_who_waits_gets_the_connection_that_is_given_back(settings: Settings) -> None:
    async with create_database(attrs.evolve(settings, database_pool_size=1)) as database:
        async with connect(database):
            waiting = [asyncio.create_task(ask(database)) for _ in range(3)]
            await asyncio.sleep(0)
        assert await asyncio.gather(*waiting) == [5, 5, 5]


async def test_a_connection_that_died_in_the_meantime_is_not_lent_again(settings: Settings) -> None:
    async with create_database(settings) as database:
        async with connect(database) as connection:
            raw = connection.raw_connection
            first = await connection.fetch_val("SELECT pg_backend_pid()")
        raw.terminate()
        assert await ask(database, "SELECT pg_backend_pid()") != first


async def test_what_is_given_back_early_can_be_lent_before_the_block_ends(
    settings: Settings,
) -> None:
    async with create_database(attrs.evolve(settings, database_pool_size=1)) as database:
        async with connect(database):
            await give_back(database)
            await give_back(database)
            assert await asyncio.create_task(ask(database)) == 5
            assert await ask(database) == 5
        assert [await ask(database), await ask(database)] == [5, 5]


async def test_a_transaction_that_was_left_open_is_rolled_back(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with create_database(attrs.evolve(settings, database_pool_size=1)) as database:
        async with connect(database) as connection:
            await connection.raw_connection.execute("BEGIN")
            await connection.execute("CREATE TABLE left_open ()")
        assert await ask(database, "SELECT count(*) FROM pg_class WHERE relname = 'left_open'") == 0
    assert "active transaction" in caplog.text


async def test_closing_waits_for_what_is_lent(settings: Settings) -> None:
    database, asked = create_database(settings), asyncio.Event()

    async def ask_late() -> int:
        async with connect(database) as connection:
            asked.set()
            return int(await connection.fetch_val("SELECT 5 FROM pg_sleep(0.1)"))

    async with database:
        await ask(database)
        asking = asyncio.create_task(ask_late())
        await asked.wait()
    assert asking.done()
    assert await asking == 5


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_terminate_backend(pg_backend_pid())",
        "DO $$ BEGIN RAISE deadlock_detected; END $$",
        "DO $$ BEGIN RAISE too_many_connections; END $$",
        "DO $$ BEGIN RAISE query_canceled; END $$",
        "DO $$ BEGIN RAISE cannot_connect_now; END $$",
    ],
    ids=["terminated", "deadlock", "too many connections", "cancelled", "starting"],
)
async def test_what_may_succeed_later_is_the_same_error(settings: Settings, statement: str) -> None:
    async with create_database(settings) as database:
        with pytest.raises(DatabaseAwayError):
            async with connect(database) as connection:
                await connection.execute(statement)
        assert await ask(database) == 5


@pytest.mark.parametrize("ends_well", [True, False], ids=["commit", "rollback"])
async def test_a_transaction_that_could_not_end_gives_its_connection_back(
    line_settings: Settings, line: Line, monkeypatch: pytest.MonkeyPatch, *, ends_well: bool
) -> None:
    monkeypatch.setattr("shared.postgres.pool.COMMAND_SECONDS", 0.3)
    async with create_database(attrs.evolve(line_settings, database_pool_size=1)) as database:

        async def stall() -> None:
            async with connect(database) as connection, transaction(connection):
                await connection.fetch_val("SELECT 1")
                line.stall()
                if not ends_well:
                    raise LookupError

        with pytest.raises(DatabaseAwayError):
            await stall()
        await line.mend()
        assert await ask(database) == 5
        assert await asyncio.create_task(ask(database)) == 5


async def test_a_statement_that_is_wrong_is_another_error(settings: Settings) -> None:
    async with create_database(settings) as database:
        with pytest.raises(Exception, match="no_such_table"):
            async with connect(database) as connection:
                await connection.fetch_val("SELECT 1 FROM no_such_table")
        assert await ask(database) == 5


async def test_what_a_block_raises_comes_out_of_it(settings: Settings) -> None:
    async with create_database(settings) as database:
        with pytest.raises(LookupError):
            async with connect(database):
                raise LookupError


async def test_a_block_within_a_block_has_the_same_connection(settings: Settings) -> None:
    async with (
        create_database(settings) as database,
        connect(database) as outer,
        connect(database) as inner,
    ):
        assert outer is inner


async def test_a_task_within_a_block_has_a_connection_of_its_own(settings: Settings) -> None:
    async with create_database(settings) as database, connect(database) as outer:

        async def other() -> int:
            async with connect(database) as inner:
                return int(await inner.fetch_val("SELECT pg_backend_pid()"))

        assert await asyncio.create_task(other()) != await outer.fetch_val(
            "SELECT pg_backend_pid()"
        )


async def hold(database: Database, held: asyncio.Event) -> None:
    async with connect(database):
        held.set()
        await asyncio.Event().wait()


async def test_a_pool_that_stays_empty_is_an_error_in_bounded_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.postgres.pool.ACQUIRE_SECONDS", 0.2)
    async with create_database(settings) as database:
        events = [asyncio.Event() for _ in range(settings.database_pool_size)]
        holders = [asyncio.create_task(hold(database, held)) for held in events]
        for held in events:
            await held.wait()
        with pytest.raises(DatabaseAwayError):
            async with asyncio.timeout(2):
                await ask(database)
        for holder in holders:
            holder.cancel()
        await asyncio.gather(*holders, return_exceptions=True)
        assert await ask(database) == 5


async def test_a_wait_for_a_connection_is_bounded_by_default() -> None:
    assert 0 < ACQUIRE_SECONDS <= 10


async def test_a_statement_that_never_ends_is_an_error_in_bounded_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.postgres.pool.COMMAND_SECONDS", 0.2)
    async with create_database(settings) as database:
        with pytest.raises(DatabaseAwayError):
            async with connect(database) as connection:
                await connection.execute("SELECT pg_sleep(30)")
        assert await ask(database) == 5


async def test_json_columns_are_objects_both_ways(settings: Settings) -> None:
    async with create_database(settings) as database, connect(database) as connection:
        for kind in ("json", "jsonb"):
            sql = f"SELECT CAST(:value AS {kind})"
            assert await connection.fetch_val(sql, {"value": {"a": ["é"]}}) == {"a": ["é"]}


async def test_times_are_utc_whatever_the_server_says(settings: Settings) -> None:
    async with create_database(settings) as database, connect(database) as connection:
        assert await connection.fetch_val("SHOW timezone") == "UTC"


async def test_many_rows_at_once_come_one_after_the_other(settings: Settings) -> None:
    turns, given = 0, []

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def select(database: Database) -> None:
        async with connect(database) as connection:
            await connection.fetch_all(f"SELECT generate_series(0, {MANY_ROWS})")
            given.append(turns)

    counter = asyncio.create_task(count_turns())
    async with create_database(attrs.evolve(settings, database_pool_size=10)) as database:
        await asyncio.gather(*(select(database) for _ in range(200)))
    counter.cancel()
    assert len(set(given)) == 200, "the loop turned between any two"


async def test_of_a_statement_that_gave_many_rows_few_run_at_once(settings: Settings) -> None:
    sql = """
        SELECT generate_series(0, :rows) AS row, at_once FROM (
            SELECT count(*) AS at_once FROM pg_sleep(0.02), pg_stat_activity
            WHERE state = 'active' AND query LIKE '%at_once%' AND datname = current_database()
        ) AS counted
    """

    async def select(database: Database, rows: int) -> int:
        async with connect(database) as connection:
            found = await connection.fetch_all(sql, {"rows": rows})
        return int(found[0]["at_once"])

    async with create_database(attrs.evolve(settings, database_pool_size=10)) as database:
        await asyncio.gather(*(select(database, 1) for _ in range(10)))
        few = await asyncio.gather(*(select(database, 1) for _ in range(10)))
        await select(database, MANY_ROWS)
        many = await asyncio.gather(*(select(database, MANY_ROWS) for _ in range(10)))
    assert max(few) > LARGE_ANSWERS >= max(many)


async def test_when_its_server_takes_no_writes_all_connections_to_it_end(
    settings: Settings,
) -> None:
    write = "INSERT INTO written VALUES (1) RETURNING number"
    async with create_database(settings) as database:
        async with connect(database) as connection:
            await connection.execute("CREATE TABLE written (number int)")
        backends = set()
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            together = asyncio.Barrier(2)

            async def be_read_only() -> None:
                async with connect(database) as connection:
                    backends.add(await connection.fetch_val("SELECT pg_backend_pid()"))
                    await connection.execute("SET default_transaction_read_only = on")
                    await together.wait()

            for _ in range(2):
                tasks.create_task(be_read_only())
        with pytest.raises(DatabaseAwayError):
            await ask(database, write)
        assert await ask(database, write) == 1
        async with connect(database), asyncio.TaskGroup() as others:
            both = [others.create_task(ask(database, "SELECT pg_backend_pid()")) for _ in range(2)]
        assert not backends & {each.result() for each in both}


async def test_of_a_server_that_is_silent_all_connections_end_with_the_first(
    line_settings: Settings, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.postgres.pool.COMMAND_SECONDS", 3.0)
    hosts = elsewhere(line_settings, hosts=(HOST, HOST), ports=(line.port, line.target))
    async with create_database(attrs.evolve(hosts, database_pool_size=4)) as database:
        together = [partial(ask, database, "SELECT 5 FROM pg_sleep(0.1)") for _ in range(4)]
        assert await asyncio.gather(*(each() for each in together)) == [5] * 4
        line.stall()
        began = monotonic()
        with pytest.raises(DatabaseAwayError):
            await ask(database)
        assert monotonic() - began < 3.0 + CANCEL_SECONDS + 1
        assert await asyncio.gather(*(each() for each in together)) == [5] * 4
        await line.mend()


async def test_who_gives_up_does_not_wait_for_a_server_that_is_silent(
    line_settings: Settings, line: Line
) -> None:
    async with create_database(line_settings) as database:
        await ask(database)
        line.stall()
        began = monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await ask(database)
        assert monotonic() - began < CANCEL_SECONDS + 1
        await line.mend()
        assert await ask(database) == 5
