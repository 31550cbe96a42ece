"""Migrations change tables while services use them, which wait for no more than a moment.

Those before `BASE` take over what the original left, whose services have ended by then.
"""

from pathlib import Path
from shutil import copy
from time import sleep

import psycopg
import pytest
from psycopg import Connection

from shared.upgrade import migrate as migrating
from shared.upgrade.migrate import MIGRATIONS, migrate, roll_back

from .conftest import NAMES
from .load import CHATS, ENTRIES, LOGS, chatting, fill

BASE = "0006-repeated-messages"
ONLINE = NAMES[NAMES.index(BASE) :]
PAUSE_SECONDS = 0.3  # for chats before and after each
MOST_SECONDS = 1.0


@pytest.fixture
def old(database: str, connection: Connection) -> str:
    """A database before the first migration that is online, with 200,000 log entries."""
    migrate(database)
    roll_back(database, len(ONLINE))
    fill(connection)
    return database


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
            sleep(PAUSE_SECONDS)
            assert migrate(old) == [name]
            sleep(PAUSE_SECONDS)
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
        sleep(PAUSE_SECONDS)
        assert migrate(old) == ONLINE
        sleep(PAUSE_SECONDS)
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
    with psycopg.connect(old) as other:
        assert other.execute("SELECT count(*) FROM logs").fetchone() == (CHATS * LOGS,)
    assert roll_back(old, len(ONLINE)) == ONLINE[::-1]
    assert connection.execute("SELECT count(*) FROM logs").fetchone() == (CHATS * LOGS,)
