"""Migrations that are no transaction: each statement by itself, and all again after one failed."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from psycopg import Connection

from shared.upgrade import giving_way
from shared.upgrade.connecting import MigrationError
from shared.upgrade.migrate import migrate, roll_back

from .conftest import FIRST
from .rows import insert_user
from .test_giving_way import reading, use_for
from .test_migrate import SECONDS, count_waiting, wait_until

NAME = "0002-steps"
HEAD = f"-- In steps.\n-- depends: {FIRST}\n-- transactional: false\n"
INDEX = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS uq_users_password ON users (password);"
IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('uq_users_password')"
BATCHES = """
    UPDATE users /* in batches */ SET password = 'new'
    WHERE id IN (SELECT id FROM users WHERE password <> 'new' LIMIT 2);
"""


def write(folder: Path, statements: str, rollback: str = "SELECT") -> None:
    (folder / f"{NAME}.sql").write_text(HEAD + statements)
    (folder / f"{NAME}.rollback.sql").write_text(rollback)


@pytest.fixture
def first(database: str, folder: Path) -> str:
    """A database with the first migration, to which another one will be added."""
    assert migrate(database) == [FIRST]
    return database


def test_an_index_is_made_and_taken_away_concurrently(
    first: str, connection: Connection, folder: Path
) -> None:
    write(folder, INDEX, "DROP INDEX CONCURRENTLY IF EXISTS uq_users_password")
    assert migrate(first) == [NAME]
    assert connection.execute(IS_VALID).fetchall() == [(True,)]
    assert roll_back(first, 1) == [NAME]
    assert connection.execute(IS_VALID).fetchall() == []


def test_an_index_that_was_left_unfinished_is_made_anew(
    first: str, connection: Connection, folder: Path
) -> None:
    write(folder, INDEX)
    users = [insert_user(connection) for _ in range(2)]  # with the same password
    with pytest.raises(MigrationError, match=f"apply of {NAME}: could not create unique index"):
        migrate(first)
    assert connection.execute(IS_VALID).fetchall() == [(False,)]
    connection.execute("DELETE FROM users WHERE id = %s", [users[0]])
    assert migrate(first) == [NAME]
    assert connection.execute(IS_VALID).fetchall() == [(True,)]


def test_who_makes_an_index_waits_for_a_long_reader_and_nobody_behind_him(
    first: str, connection: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving_way, "LOCK_SECONDS", 0.1)
    write(folder, INDEX)
    with ThreadPoolExecutor(1) as thread, reading(first) as reader:
        reader.execute("DELETE FROM users WHERE false")
        migrating = thread.submit(migrate, first)
        wait_until(lambda: count_waiting(connection, "virtualxid") == 1)
        assert use_for(1.0, connection) < 1.0
        assert not migrating.done()
        reader.rollback()
        assert migrating.result(SECONDS) == [NAME]


def test_rows_are_changed_in_batches_until_none_is_left(
    first: str, connection: Connection, folder: Path
) -> None:
    for _ in range(5):
        insert_user(connection)
    write(folder, BATCHES)
    assert migrate(first) == [NAME]
    found = connection.execute("""
        SELECT count(DISTINCT xmin::text) FROM users WHERE password = 'new'
    """).fetchall()
    assert found == [(3,)]


def test_what_was_done_stays_when_a_statement_fails_and_all_is_run_again(
    first: str, connection: Connection, folder: Path
) -> None:
    added = "ALTER TABLE users ADD COLUMN IF NOT EXISTS later int;\n"
    write(folder, added + "SELECT 1 / 0;")
    with pytest.raises(MigrationError, match="division by zero"):
        migrate(first)
    assert connection.execute("SELECT later FROM users").fetchall() == []
    write(folder, added)
    assert migrate(first) == [NAME]
    assert migrate(first) == []


@pytest.mark.usefixtures("original")
def test_the_original_is_taken_over_in_one_transaction_up_to_it(
    database: str, connection: Connection, folder: Path
) -> None:
    write(folder, INDEX)
    assert migrate(database) == [NAME]
    assert connection.execute(IS_VALID).fetchall() == [(True,)]
