"""Migrating while others use the tables: they go on, and who holds a lock for long is named."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import Connection

from shared.postgres import poolers
from shared.postgres.locks import MIGRATION_LOCK
from shared.upgrade import giving_way
from shared.upgrade.connecting import MigrationError
from shared.upgrade.migrate import migrate, roll_back

from .conftest import LATER
from .test_migrate import SECONDS, count_waiting, wait_until

IN_FORCE = giving_way.LOCK_SECONDS
LOCK_SECONDS = 0.4
SLACK_SECONDS = 1.5  # of a busy machine
ASKING = """
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE 'SELECT pg_try_advisory_lock%'
"""
ALTERED = "ALTER TABLE users ADD COLUMN later int"


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks are waited for so long, and a little pause follows."""
    monkeypatch.setattr(giving_way, "LOCK_SECONDS", LOCK_SECONDS)
    monkeypatch.setattr(giving_way, "LONGEST_PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(giving_way, "WATCH_SECONDS", 0.05)


@pytest.fixture
def altered(database: str, folder: Path) -> str:
    """A database in which the next migration changes a table."""
    migrate(database)
    (folder / "0002-later.sql").write_text(ALTERED)
    (folder / "0002-later.rollback.sql").write_text("ALTER TABLE users DROP COLUMN later")
    return database


@contextmanager
def reading(database: str, table: str = "users") -> Iterator[Connection]:
    """A dump, say: it has read a table and is not through with the others."""
    with psycopg.connect(database, application_name="long reader") as reader:
        reader.execute(f"SELECT FROM {table}".encode())
        yield reader


def use(connection: Connection, table: str = "users") -> float:
    """Write to a table, change nothing and return how long it took, in seconds."""
    began = time.monotonic()
    connection.execute(f"DELETE FROM {table} WHERE false".encode())  # noqa: S608
    return time.monotonic() - began


def use_for(seconds: float, connection: Connection, table: str = "users") -> float:
    """Use a table as the services do, again and again, and return the longest time it took."""
    connection.execute("SELECT set_config('lock_timeout', %s, false)", [f"{poolers.LOCK_SECONDS}s"])
    end, longest = time.monotonic() + seconds, 0.0
    while time.monotonic() < end:
        longest = max(longest, use(connection, table))
        time.sleep(0.01)
    return longest


def test_the_services_wait_longer_for_a_lock_than_a_migration_does() -> None:
    assert IN_FORCE < poolers.LOCK_SECONDS


def test_while_a_migration_waits_for_a_long_reader_others_go_on(
    altered: str, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    with ThreadPoolExecutor(1) as thread, reading(altered) as reader:
        pid = reader.info.backend_pid
        migrating = thread.submit(migrate, altered)
        wait_until(lambda: count_waiting(connection, "relation") == 1)
        assert use_for(5 * LOCK_SECONDS, connection) < LOCK_SECONDS + SLACK_SECONDS
        assert not migrating.done()
        reader.rollback()
        assert migrating.result(SECONDS) == ["0002-later"]
    [line, *more] = capsys.readouterr().err.splitlines()
    assert line.startswith(
        f"waiting for session {pid} (long reader, idle in transaction, its query began at 2"
    )
    assert len(more) >= 1


def test_a_rollback_gives_way_too(altered: str, connection: Connection) -> None:
    migrate(altered)
    with ThreadPoolExecutor(1) as thread, reading(altered) as reader:
        rolling_back = thread.submit(roll_back, altered, 1)
        wait_until(lambda: count_waiting(connection, "relation") == 1)
        assert use_for(3 * LOCK_SECONDS, connection) < LOCK_SECONDS + SLACK_SECONDS
        reader.rollback()
        assert rolling_back.result(SECONDS) == ["0002-later"]


def test_while_a_database_of_the_original_is_taken_over_no_table_stays_locked(
    database: str, original: Connection
) -> None:
    with ThreadPoolExecutor(1) as thread, reading(database, "mcpservers") as reader:
        migrating = thread.submit(migrate, database)
        wait_until(lambda: count_waiting(original, "relation") == 1)
        assert use_for(3 * LOCK_SECONDS, original, "logs") < LOCK_SECONDS + SLACK_SECONDS
        reader.rollback()
        assert migrating.result(SECONDS) == LATER


def test_a_reader_that_does_not_end_is_named(altered: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving_way, "PATIENCE_SECONDS", 1.0)
    with reading(altered) as reader:
        with pytest.raises(MigrationError) as held_up:
            migrate(altered)
        pid = reader.info.backend_pid
    assert str(held_up.value).startswith(
        "apply of 0002-later: for 1 seconds a lock was not to be had, last because of session"
        f" {pid} (long reader, idle in transaction, its query began at 2"
    )
    assert migrate(altered) == ["0002-later"]


def test_a_migration_that_a_deadlock_ended_is_done_again(
    database: str, connection: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving_way, "LOCK_SECONDS", SECONDS)
    migrate(database)
    (folder / "0002-later.sql").write_text(f"LOCK TABLE agents; {ALTERED}")
    with ThreadPoolExecutor(1) as thread, reading(database) as reader:
        reader.execute("SET deadlock_timeout = '1min'")  # so the other one finds out
        migrating = thread.submit(migrate, database)
        wait_until(lambda: count_waiting(connection, "relation") == 1)
        reader.execute("SELECT FROM agents")  # until the migration gives way
        reader.rollback()
        assert migrating.result(SECONDS) == ["0002-later"]


def test_another_migration_is_waited_for_however_long_it_takes(
    altered: str, connection: Connection
) -> None:
    connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
    with ThreadPoolExecutor(1) as thread:
        migrating = thread.submit(migrate, altered)
        try:
            wait_until(lambda: connection.execute(ASKING).rowcount == 1)
            time.sleep(3 * LOCK_SECONDS)
            assert not migrating.done()
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
        assert migrating.result(SECONDS) == ["0002-later"]


def test_who_works_on_a_table_beside_others_is_waited_for_and_nobody_waits_behind(
    altered: str, connection: Connection
) -> None:
    """Like an autovacuum, which PostgreSQL ends for whoever waits for a second."""
    with ThreadPoolExecutor(1) as thread, psycopg.connect(altered) as vacuum:
        vacuum.execute("LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE")
        migrating = thread.submit(migrate, altered)
        wait_until(lambda: _modes_waited_for(connection) == [("ShareUpdateExclusiveLock",)])
        assert use_for(1.5, connection) < SLACK_SECONDS / 3
        assert _modes_waited_for(connection) == [("ShareUpdateExclusiveLock",)]
        vacuum.rollback()
        assert migrating.result(SECONDS) == ["0002-later"]


def _modes_waited_for(connection: Connection) -> list[tuple[str]]:
    sql = "SELECT mode FROM pg_locks WHERE NOT granted AND relation = to_regclass('users')"
    return connection.execute(sql).fetchall()
