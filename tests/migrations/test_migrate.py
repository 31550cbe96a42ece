"""The command `python -m shared.upgrade.migrate`: one at a time, and whatever happens meanwhile."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from psycopg import Connection

from shared.postgres.locks import MIGRATION_LOCK
from shared.upgrade import connecting
from shared.upgrade.connecting import MigrationError
from shared.upgrade.migrate import migrate

from .catalogue import read_tables
from .conftest import NAMES, variables

ROOT = Path(__file__).parent.parent.parent
SECONDS = 30.0


def start_command(database: str, others: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "shared.upgrade.migrate"],
        cwd=ROOT,
        env={"PATH": os.defpath, **variables(database), **(others or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return the exit status and what was written to the two outputs, but for what it waits for."""
    output, errors = process.communicate(timeout=SECONDS)
    return process.returncode, output, without_waits(errors)


def without_waits(errors: str) -> str:
    """What was written but for what it waits for, which on a busy machine it may for anything."""
    lines = errors.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("waiting for "))


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def count_waiting(connection: Connection, lock: str) -> int:
    """Return how many sessions wait for a lock of this kind in this database."""
    return len(
        connection.execute(
            """
            SELECT 1 FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = %s
            """,
            [lock],
        ).fetchall()
    )


def test_second_run_applies_nothing(database: str) -> None:
    migrate(database)
    assert migrate(database) == []


def test_two_at_the_same_time_both_succeed_and_apply_once(
    database: str, connection: Connection
) -> None:
    connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
    processes = [start_command(database), start_command(database)]
    assert [read_wait(process) for process in processes] == ["another migration to end"] * 2
    connection.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
    assert sorted(finish(process) for process in processes) == [
        (0, "".join(f"applied {name}\n" for name in NAMES), ""),
        (0, "nothing to apply\n", ""),
    ]


def read_wait(process: subprocess.Popen[str]) -> str:
    """What a command says next that it waits for."""
    assert process.stderr is not None
    line = process.stderr.readline()
    return line.rpartition(" (")[0].removeprefix("waiting for ")


@pytest.mark.parametrize("lock", [True, False], ids=["another one", "the server"])
def test_the_command_tells_what_it_waits_for(
    database: str, connection: Connection, tmp_path: Path, lock: bool
) -> None:
    connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
    elsewhere = {"POSTGRES_HOST": str(tmp_path), "POSTGRES_PORT": "7"}
    process = start_command(database, {} if lock else elsewhere)
    what = "another migration to end" if lock else f"PostgreSQL at {tmp_path}/.s.PGSQL.7"
    assert process.stderr is not None
    assert [process.stderr.readline().rpartition(" (")[0] for _ in range(2)] == [
        f"waiting for {what}",
        f"waiting for {what}",
    ]
    process.kill()
    finish(process)


def test_lock_that_yoyo_left_behind_blocks_nobody(database: str, connection: Connection) -> None:
    connection.execute("CREATE TABLE yoyo_lock (locked int PRIMARY KEY, ctime timestamp, pid int)")
    connection.execute("INSERT INTO yoyo_lock VALUES (1, now(), 1)")
    assert migrate(database) == NAMES


def test_failed_migration_is_named_and_leaves_nothing(
    database: str, connection: Connection, folder: Path
) -> None:
    (folder / "0002-wrong.sql").write_text("CREATE TABLE half (); SELECT 1 / 0;")
    with pytest.raises(MigrationError, match="apply of 0002-wrong: division by zero"):
        migrate(database)
    assert "users" in read_tables(connection)
    assert "half" not in read_tables(connection)


def test_folder_without_migrations_is_an_error(database: str, folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    with pytest.raises(MigrationError, match="no migrations"):
        migrate(database)


def test_server_that_does_not_come_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "WAIT_SECONDS", 0.1)
    with pytest.raises(MigrationError, match="Connection refused"):
        migrate("postgresql://postgres@127.0.0.1:1/postgres")


def test_command_says_in_one_line_why_it_failed(database: str) -> None:
    process = start_command(database.replace("%20", "+"))
    status, output, errors = finish(process)
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert errors.startswith("The database was not migrated: ")
    assert "does not exist" in errors
