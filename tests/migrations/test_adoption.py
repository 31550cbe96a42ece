"""A database of the original becomes ours as it is, whole or not at all."""

import subprocess
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from shared.upgrade.connecting import MigrationError
from shared.upgrade.migrate import main, migrate, roll_back
from tests.migrations.catalogue import read_enums, read_tables
from tests.migrations.conftest import FIRST, LATER
from tests.migrations.test_migrate import count_waiting, finish, start_command, wait_until
from tests.migrations.test_migrations import ORIGINAL, select_original_columns
from tests.original import create_tables, insert_owner


def read_ours(connection: Connection) -> dict[str, Any]:
    tables = read_tables(connection)
    tables.pop("alembic_version", None)
    return tables


def test_the_tables_to_adopt_are_those_that_were_recorded(original: Connection) -> None:
    assert read_tables(original) == ORIGINAL["tables"]
    assert read_enums(original) == ORIGINAL["enums"]


def test_an_adopted_database_has_the_catalogue_of_a_new_one(
    database: str, original: Connection, migrated: Connection
) -> None:
    assert migrate(database) == LATER
    assert read_ours(original) == read_tables(migrated)
    assert read_enums(original) == read_enums(migrated)


def test_an_adopted_database_is_migrated_once(database: str, original: Connection) -> None:
    migrate(database)
    tables = read_tables(original)
    assert migrate(database) == []
    assert read_tables(original) == tables


def test_no_row_is_lost_and_what_is_right_stays(database: str, original: Connection) -> None:
    insert_owner(original)
    before = select_original_columns(original)
    migrate(database)
    after = select_original_columns(original)
    [(_, _, _, owner)] = after.pop("userprofiles")  # there was none
    assert owner == before["users"][0][0]
    del before["userprofiles"]
    assert after == before


@pytest.mark.parametrize("revision", ["0123456789ab", None])
def test_another_revision_is_refused_and_named(
    database: str, connection: Connection, revision: str | None
) -> None:
    create_tables(connection, revision)
    tables = read_tables(connection)
    with pytest.raises(MigrationError, match=f"revision {revision or 'none'}, .*8403bb364491"):
        migrate(database)
    assert read_tables(connection) == tables


def test_the_originals_tables_are_never_dropped(database: str, original: Connection) -> None:
    migrate(database)
    assert roll_back(database) == LATER[::-1]
    assert read_tables(original) == ORIGINAL["tables"]
    assert roll_back(database) == []
    assert migrate(database) == LATER


@pytest.mark.usefixtures("variables_of", "original")
def test_the_command_says_what_stays(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    migrate(database)
    assert [main(["--rollback", "1"]), main(["--rollback"])] == [0, 0]
    *names, last = capsys.readouterr().out.splitlines()
    assert names == [f"rolled back {name}" for name in reversed(LATER)]
    assert last.startswith(f"{FIRST} stays: ")


def terminate_others(connection: Connection) -> None:
    connection.execute("""
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
    """)


@pytest.mark.parametrize("killed", ["process", "connection"])
def test_an_adoption_that_is_killed_in_the_middle_leaves_the_original(
    database: str, original: Connection, complete: dict[str, str], killed: str
) -> None:
    """It waits for a table that one of the last migrations changes."""
    insert_owner(original)
    tables, rows = read_tables(original), select_original_columns(original)
    with original.transaction(), psycopg.connect(database, autocommit=True) as observer:
        original.execute("LOCK TABLE userprofiles IN SHARE MODE")
        process = start_command(database, complete)
        wait_until(lambda: count_waiting(observer, "relation") == 1)
        if killed == "process":
            process.kill()
        else:
            terminate_others(observer)
        status, output, _ = finish(process)
    assert (status != 0, output) == (True, "")
    assert read_tables(original) == tables
    assert select_original_columns(original) == rows
    assert migrate(database) == LATER


def test_two_that_adopt_at_the_same_time_both_succeed(
    database: str, original: Connection, complete: dict[str, str]
) -> None:
    insert_owner(original)
    processes: list[subprocess.Popen[str]] = [start_command(database, complete) for _ in range(2)]
    ends = [finish(process) for process in processes]
    assert [(status, errors) for status, _, errors in ends] == [(0, ""), (0, "")]
    done = "".join(output for _, output, _ in ends)
    assert done.count(f"applied {LATER[0]}") == 1
    assert done.count("1 provider keys encrypted anew") == 1


@pytest.mark.usefixtures("variables_of")
def test_nothing_is_touched_before_the_settings_are_complete(
    original: Connection,
    complete: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tables = read_tables(original)
    for name, value in {**complete, "ENCRYPTION_KEYS": "", "SECRET_KEY": "short"}.items():
        monkeypatch.setenv(name, value)
    assert main([]) == 1
    errors = capsys.readouterr().err
    assert "ENCRYPTION_KEYS is missing" in errors
    assert "SECRET_KEY must have at least 32 bytes" in errors
    assert read_tables(original) == tables
