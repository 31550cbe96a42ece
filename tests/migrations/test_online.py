"""Migrations change tables while services use them, which wait for no more than a moment.

Those before `BASE` take over what the original left, whose services have ended by then.
"""

from collections.abc import Iterator
from pathlib import Path
from shutil import copy
from time import sleep

import psycopg
import pytest
from psycopg import Connection
from psycopg.errors import LockNotAvailable

from devstack.postgres import PostgresServer
from shared.upgrade import migrate as migrating
from shared.upgrade.migrate import MIGRATIONS, migrate, roll_back
from tests.partitions import end_in_the_past, partitions
from tests.system import run_database, url_of

from .conftest import NAMES
from .load import CHATS, ENTRIES, LOGS, chatting, fill

BASE = "0006-repeated-messages"
ONLINE = NAMES[NAMES.index(BASE) :]
PAUSE_SECONDS = 0.1  # before a lock is asked for again
MOST_SECONDS = 1.0


@pytest.fixture(scope="module")
def filled(postgres: PostgresServer) -> Iterator[str]:
    """A database before the first migration that is online, with 200,000 log entries; its name."""
    with run_database(postgres) as name:
        url = url_of(postgres, name)
        migrate(url)
        roll_back(url, len(ONLINE))
        with psycopg.connect(url, autocommit=True) as connection:
            fill(connection)
        yield name


@pytest.fixture
def old(postgres: PostgresServer, filled: str) -> Iterator[str]:
    """A copy of it."""
    with run_database(postgres, filled) as name:
        yield url_of(postgres, name)


@pytest.fixture
def connection(old: str) -> Iterator[Connection]:
    with psycopg.connect(old, autocommit=True) as connection:
        yield connection


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of migrations to which those that are online are added one by one."""
    for file in MIGRATIONS.glob("[0-9]*"):
        if file.name < BASE:
            copy(file, tmp_path)
    monkeypatch.setattr(migrating, "MIGRATIONS", tmp_path)
    return tmp_path


def test_no_statement_waits_long_for_a_migration(
    old: str, connection: Connection, added: Path
) -> None:
    slow = {}
    with chatting(old) as load:
        for name in ONLINE:
            for file in MIGRATIONS.glob(f"{name}.*"):
                copy(file, added)
            load.go_on()
            assert migrate(old) == [name]
            load.go_on()
            seconds, statement = load.longest()
            if seconds > MOST_SECONDS:
                slow[name] = seconds, statement
    assert slow == {}
    assert load.chats > 0
    [count] = connection.execute("SELECT count(*) FROM logs").fetchone() or ()
    assert count == CHATS * LOGS + load.chats * 2 * ENTRIES


def test_entries_of_a_clock_that_is_wrong_are_stored_while_partitions_are_made(
    old: str, connection: Connection
) -> None:
    with chatting(old, days=400) as load:
        load.go_on()
        assert migrate(old) == ONLINE
        load.go_on()
    sql = "SELECT count(*), max(created_at) > now() + interval '399 days' FROM logs"
    found = connection.execute(sql).fetchone()
    assert found == (CHATS * LOGS + load.chats * 2 * ENTRIES, True)


def test_what_is_migrated_is_one_table_with_its_past_as_a_partition(
    old: str, connection: Connection
) -> None:
    """Whose rows nobody has copied."""
    sql = "SELECT pg_relation_filenode(%s)"
    before = connection.execute(sql, ["logs"]).fetchone()
    assert migrate(old) == ONLINE
    assert connection.execute(sql, ["logs_past"]).fetchone() == before
    assert connection.execute("SELECT count(*) FROM logs").fetchone() == (CHATS * LOGS,)
    assert roll_back(old, len(ONLINE)) == ONLINE[::-1]
    assert connection.execute("SELECT count(*) FROM logs").fetchone() == (CHATS * LOGS,)


def test_partitions_come_and_go_while_chats_go_on(old: str, connection: Connection) -> None:
    migrate(old)
    end_in_the_past(connection, 1)
    with chatting(old) as load:
        load.go_on()  # where there are entries of today, partitions begin tomorrow
        for _ in range(3):
            for call in ("make_log_partition(1)", "drop_log_partition(interval '-30 days')"):
                _call_until_done(connection, f"SELECT {call}")
            assert partitions(connection) == {}
    assert load.longest()[0] < MOST_SECONDS
    [count] = connection.execute("SELECT count(*) FROM logs").fetchone() or ()
    assert count == load.chats * 2 * ENTRIES


def _call_until_done(connection: Connection, query: str) -> None:
    """Call a function until it finds nothing to do, again where a lock was not to be had."""
    done = False
    while not done:
        try:
            done = connection.execute(query.encode()).fetchone() == (None,)
        except LockNotAvailable:
            sleep(PAUSE_SECONDS)
