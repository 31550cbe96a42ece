"""Gives the database the shape that `migrations/` describes, or takes it back.

`python -m shared.migrate` is one step before the services start; several at once are safe.
"""

import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from time import monotonic, sleep
from typing import Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import PGconn, Ping
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.exceptions import BadMigration
from yoyo.migrations import Migration, MigrationList, default_migration_table

from shared.locks import MIGRATION_LOCK
from shared.settings import PostgresSettings, SettingsError, load_settings

MIGRATIONS = Path(__file__).parent.parent / "migrations"
WAIT_SECONDS = 30.0
CONNECT_SECONDS = 5

type Direction = Literal["apply", "rollback"]


class MigrationError(Exception):
    """The database is as it was before the migration that failed; the text says what did."""


class _Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]  # yoyo has no types
    """yoyo's own lock is a row, which survives a kill and blocks every later start.

    Ours belongs to the very session that migrates: PostgreSQL frees it when the work of a
    dead process has been undone, and not before.
    """

    @contextmanager
    def lock(self, timeout: float = 10) -> Iterator[None]:
        """Wait for whoever migrates now; held until the connection closes, and reentrant."""
        self.execute("SELECT pg_advisory_lock(:number)", {"number": MIGRATION_LOCK})
        yield


def migrate(database_url: str) -> list[str]:
    """Apply what is missing and return the names of the migrations applied, in order.

    Waits up to 30 seconds for PostgreSQL. Raises MigrationError.
    """
    with _backend(database_url) as backend:
        missing = backend.to_apply(_migrations())
        return [_run(backend, migration, "apply") for migration in missing]


def roll_back(database_url: str, count: int | None = None) -> list[str]:
    """Undo the last `count` migrations, or all, and return their names, the newest first.

    What the undone tables and columns held is lost. Raises MigrationError.
    """
    with _backend(database_url) as backend:
        applied = list(backend.to_rollback(_migrations()))
        return [_run(backend, migration, "rollback") for migration in applied[:count]]


@contextmanager
def _backend(database_url: str) -> Iterator[_Backend]:
    try:
        _wait_for_server(database_url)
        # Not as a URL of yoyo's: it does not decode the name of the database.
        uri = DatabaseURI(
            scheme="postgresql+psycopg",
            username=None,
            password=None,
            hostname=None,
            port=None,
            database=None,
            args=conninfo_to_dict(database_url, connect_timeout=CONNECT_SECONDS),
        )
        with _Backend(uri, default_migration_table) as backend, backend.lock():
            yield backend
    except psycopg.Error as fault:
        raise MigrationError(_one_line(fault)) from fault


def _wait_for_server(database_url: str) -> None:
    """Return when it accepts connections, or too late: connecting then says what is wrong."""
    address = make_conninfo(database_url, connect_timeout=CONNECT_SECONDS).encode()
    end = monotonic() + WAIT_SECONDS
    while PGconn.ping(address) in {Ping.NO_RESPONSE, Ping.REJECT} and monotonic() < end:
        sleep(0.1)


def _migrations() -> MigrationList:
    migrations = read_migrations(escape(str(MIGRATIONS)))
    if not migrations:
        raise MigrationError(f"there are no migrations in {MIGRATIONS}")
    return migrations


def _run(backend: _Backend, migration: Migration, direction: Direction) -> str:
    """Take one migration and the note of it in one transaction, and return its name.

    yoyo by itself commits first and notes it later: a kill in between would block every later
    start, which would apply the migration once more.
    """
    note = {"apply": backend.mark_one, "rollback": backend.unmark_one}[direction]
    try:
        with backend.transaction():
            migration.process_steps(backend, direction)
            backend.log_migration(migration, direction)
            note(migration, log=False)
    except (psycopg.Error, BadMigration) as fault:
        raise MigrationError(f"{direction} of {migration.id}: {_one_line(fault)}") from fault
    return str(migration.id)


def _one_line(fault: Exception) -> str:
    return " ".join(str(fault).split())


def _count(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise ArgumentTypeError("N must be a whole number above zero")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = ArgumentParser(prog="python -m shared.migrate", description=__doc__)
    parser.add_argument(
        "--rollback",
        metavar="N",
        nargs="?",
        type=_count,
        default=SUPPRESS,
        help="undo the last N migrations, without N all of them, and what their tables hold",
    )
    options = parser.parse_args(arguments)
    try:
        database_url = load_settings(PostgresSettings).database_url
        if "rollback" in options:
            names = roll_back(database_url, options.rollback)
            lines = [f"rolled back {name}" for name in names] or ["nothing to roll back"]
        else:
            names = migrate(database_url)
            lines = [f"applied {name}" for name in names] or ["nothing to apply"]
    except (MigrationError, SettingsError) as fault:
        print(f"The database was not migrated: {fault}", file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
