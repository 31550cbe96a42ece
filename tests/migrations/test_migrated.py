"""The command where all has been migrated: what it says of a wiped database, and takes back."""

from typing import LiteralString

import psycopg
import pytest
from psycopg import Connection, sql

from shared.upgrade.migrate import main, migrate, roll_back

from .conftest import NAMES
from .test_migrate import count_waiting, finish, start_command, wait_until, without_waits

ALL_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
OURS = f"{ALL_TABLES} AND tablename NOT LIKE '%yoyo%'"
EMPTIED = f"{ALL_TABLES} AND tablename <> 'audit'"  # which lets nobody


@pytest.fixture
def beginning(migrated_database: str) -> str:
    return migrated_database


@pytest.mark.usefixtures("variables_of")
@pytest.mark.parametrize(
    ("tables", "statement", "reason"),
    [
        (EMPTIED, "TRUNCATE {} CASCADE", "the notes of its migrations are gone"),
        (OURS, "DROP TABLE IF EXISTS {} CASCADE", "tables are gone (a2acards, "),
        (f"{OURS} AND tablename = 'logs'", "DROP TABLE {}", "tables are gone (logs, logs_default)"),
    ],
    ids=["emptied", "dropped", "one dropped"],
)
def test_command_says_in_one_sentence_that_a_database_was_wiped(
    database: str,
    connection: Connection,
    capsys: pytest.CaptureFixture[str],
    tables: LiteralString,
    statement: LiteralString,
    reason: str,
) -> None:
    for (table,) in connection.execute(tables).fetchall():
        connection.execute(sql.SQL(statement).format(sql.Identifier(table)))
    assert main([]) == 1
    output, errors = capsys.readouterr()
    errors = without_waits(errors)
    assert (output, errors.count("\n")) == ("", 1)
    assert errors.startswith(f"The database was not migrated: {reason}")
    assert "please restore a backup" in errors


@pytest.mark.usefixtures("variables_of")
def test_what_the_command_proposes_for_a_wiped_database_helps(
    database: str, connection: Connection
) -> None:
    connection.execute("TRUNCATE _yoyo_version")
    assert main([]) == 1
    connection.execute("DROP SCHEMA public CASCADE")
    connection.execute("CREATE SCHEMA public")
    assert main([]) == 0


@pytest.mark.usefixtures("variables_of")
def test_command_takes_back_as_many_as_it_is_told(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [main(["--rollback", "1"]), main(["--rollback"]), main(["--rollback"])] == [0, 0, 0]
    assert capsys.readouterr().out.splitlines() == [
        *(f"rolled back {name}" for name in reversed(NAMES)),
        "nothing to roll back",
    ]


@pytest.mark.parametrize("table", ["logs", "_yoyo_migration"])
def test_process_killed_in_the_middle_blocks_nobody(
    database: str, connection: Connection, table: str
) -> None:
    """It is killed while it changes a table, or when all is changed but not yet noted."""
    roll_back(database, len(NAMES) - 1)
    with connection.transaction(), psycopg.connect(database, autocommit=True) as observer:
        connection.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(sql.Identifier(table)))
        process = start_command(database)
        wait_until(lambda: count_waiting(observer, "relation") == 1)
        process.kill()
        finish(process)
    assert migrate(database) == NAMES[1:]
