"""What is old is removed, by one bridge at a time, and what was asked for of it is a gap."""

from collections.abc import AsyncIterator
from datetime import timedelta

import psycopg
import pytest
from databases import Database
from psycopg.sql import SQL, Identifier

from agent_bridge.retention import (
    BATCH,
    drop_older,
    make_partitions,
    remove_older,
    select_has_lock,
    width_of,
)
from shared.postgres.pool import connect, create_database, transaction
from tests.agent_bridge.stored import execute, select
from tests.master import Invocation, Master, echo
from tests.partitions import add_partition, end_in_the_past, midnight, partitions
from tests.system import Stores, System
from tests.users import User

MONTH = timedelta(days=30)


@pytest.fixture
async def database(system: System) -> AsyncIterator[Database]:
    async with create_database(system.settings) as database:
        yield database


@pytest.fixture
async def talkative(master: Master) -> Master:
    """A master agent that logs before it answers."""

    async def behave(invocation: Invocation) -> object:
        await invocation.log("thinking")
        return await echo(invocation)

    master.behave = behave
    return master


def age(system: System, session_id: str, days: int) -> None:
    """Have all of a session happened long ago."""
    for table, columns in (("logs", ["created_at"]), ("requests", ["created_at", "ended_at"])):
        changes = ", ".join(f"{column} = {column} - %s * interval '1 day'" for column in columns)
        sql = f"UPDATE {table} SET {changes} WHERE session_id = %s"  # noqa: S608 (names of ours)
        execute(system, sql, *[days] * len(columns), session_id)


def count(system: System, table: str, session_id: str) -> int:
    sql = f"SELECT count(*) AS number FROM {table} WHERE session_id = %s"  # noqa: S608
    [row] = select(system, sql, session_id)
    return int(row["number"])


async def test_old_entries_and_requests_go_and_messages_stay(
    system: System, user: User, talkative: Master, database: Database
) -> None:
    async with user.chat() as old, user.chat() as new:
        for chat in (old, new):
            await chat.ask("hello")
    age(system, old.session_id, 31)
    age(system, new.session_id, 29)
    await remove_older(database, MONTH)
    tables = ("logs", "requests")
    assert [count(system, table, old.session_id) for table in tables] == [0, 0]
    assert [count(system, table, new.session_id) for table in tables] == [1, 1]
    assert len(await user.history(old.session_id)) == 2


async def test_what_was_removed_is_told_as_a_gap_before_what_there_is(
    system: System, user: User, talkative: Master, database: Database
) -> None:
    async with user.chat() as chat:
        await chat.ask("old")
        age(system, chat.session_id, 31)
        await chat.ask("new")
    await remove_older(database, MONTH)
    async with user.chat(chat.session_id, after=0) as again:
        assert await again.receive() == {"type": "gap", "after": 0, "before": 3}
        assert [(await again.receive())["seq"] for _ in range(2)] == [3, 4]
    async with user.chat(chat.session_id, after=1) as again:
        assert await again.receive() == {"type": "gap", "after": 1, "before": 3}


async def test_an_open_request_is_never_too_old(
    system: System, user: User, database: Database
) -> None:
    async with user.chat() as chat:
        await chat.ask("nobody answers")
    sql = """
        UPDATE requests SET status = 'running', ended_at = NULL, seq = NULL,
               lease_until = 'infinity', claim_id = gen_random_uuid()
        WHERE session_id = %s
    """
    execute(system, sql, chat.session_id)
    age(system, chat.session_id, 100)
    await remove_older(database, MONTH)
    assert count(system, "requests", chat.session_id) == 1


async def test_any_number_is_removed_in_batches(
    system: System, user: User, database: Database
) -> None:
    async with user.chat() as chat:
        await chat.ask("nobody answers")
    sql = """
        INSERT INTO logs (session_id, request_id, log_level, message, created_at)
        SELECT %s, gen_random_uuid(), 'info', number, now() - interval '31 days'
        FROM generate_series(1, %s) AS number
    """
    execute(system, sql, chat.session_id, 2 * BATCH + 1)
    assert await remove_older(database, MONTH) == 2 * BATCH + 1


async def test_only_one_at_a_time_removes(
    system: System, user: User, talkative: Master, database: Database
) -> None:
    async with user.chat() as chat:
        await chat.ask("hello")
    age(system, chat.session_id, 31)
    async with create_database(system.settings) as other:
        async with connect(other) as connection, transaction(connection):
            assert await select_has_lock(connection)
            assert await remove_older(database, MONTH) == 0
        assert count(system, "requests", chat.session_id) == 1
    assert await remove_older(database, MONTH) == 2


async def test_of_partitions_only_those_are_dropped_that_are_wholly_too_old(stores: Stores) -> None:
    with stores.system() as system:
        with psycopg.connect(system.settings.database_url, autocommit=True) as connection:
            end_in_the_past(connection, 40)
            for begin in (36, 33, 30):
                add_partition(connection, f"logs_{begin}", begin, begin - 3)
        async with create_database(system.settings) as database:
            async with (
                create_database(system.settings) as other,
                connect(other) as lent,
                transaction(lent),
            ):
                assert await select_has_lock(lent)
                assert await drop_older(database, MONTH) == []
            assert await drop_older(database, MONTH) == ["logs_past", "logs_36", "logs_33"]
            assert await drop_older(database, MONTH) == []


async def test_a_bridge_makes_partitions_before_it_takes_anything(stores: Stores) -> None:
    with stores.system() as system, psycopg.connect(system.settings.database_url) as connection:
        end_in_the_past(connection, 100)
        connection.commit()
        system.start_router()
        system.start_bridge(RETENTION_DAYS="16")
        ends = list(partitions(connection).values())
        # The past may have been dropped by now.
        assert ends[-4:] == [midnight(connection) + timedelta(days=2 * n) for n in (1, 2, 3, 4)]


async def test_partitions_that_can_not_be_made_now_are_made_later(
    stores: Stores, caplog: pytest.LogCaptureFixture
) -> None:
    with stores.system() as system, psycopg.connect(system.settings.database_url) as connection:
        end_in_the_past(connection, 100)
        connection.commit()
        connection.execute("LOCK TABLE logs IN SHARE UPDATE EXCLUSIVE MODE")
        async with create_database(system.settings) as database:
            await make_partitions(database, 30)
            assert "partitions for log entries are made later: " in caplog.text
            connection.rollback()
            assert len(partitions(connection)) == 1
            await make_partitions(database, 30)
            assert len(partitions(connection)) == 4


async def test_a_table_that_has_a_partition_s_name_ends_no_bridge(
    stores: Stores, caplog: pytest.LogCaptureFixture
) -> None:
    with stores.system() as system, psycopg.connect(system.settings.database_url) as connection:
        end_in_the_past(connection, 100)
        taken = midnight(connection).strftime("logs_%Y%m%d")
        connection.execute(SQL("CREATE TABLE {} ()").format(Identifier(taken)))
        connection.commit()
        async with create_database(system.settings) as database:
            await make_partitions(database, 30)
        assert f'relation "{taken}" already exists' in caplog.text
        assert len(partitions(connection)) == 1


@pytest.mark.parametrize(
    ("kept", "width"), [(1, 1), (7, 1), (16, 2), (30, 3), (365, 45), (0, 90)], ids=str
)
def test_partitions_are_few_and_end_soon(kept: int, width: int) -> None:
    assert width_of(kept) == width
