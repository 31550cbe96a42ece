"""Gives the database the shape that `migrations/` describes, or takes it back.

`python -m shared.upgrade.migrate` is one step before the services start; several at once are
safe. A database of the original installation is taken over as it is.
"""

import re
import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from functools import partial
from glob import escape
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal

import psycopg
from yoyo import read_migrations
from yoyo.exceptions import BadMigration
from yoyo.migrations import Migration, MigrationList

from shared.process.waiting import waiting_for
from shared.secrets import Vault
from shared.settings.migrating import MigratingSettings
from shared.settings.reading import SettingsError, load_settings
from shared.upgrade.connecting import (
    REMEDY,
    Backend,
    MigrationError,
    alone,
    one_line,
    open_backend,
    open_connection,
    tell,
)
from shared.upgrade.giving_way import LOCKED_OUT
from shared.upgrade.original import REVISION, TakeoverSettings, read_revision
from shared.upgrade.report import describe_outcome, report
from shared.upgrade.rights import grant_rights
from shared.upgrade.secrets import Outcome, take_over_secrets
from shared.upgrade.steps import read_statements, run_statement

MIGRATIONS = Path(__file__).parents[2] / "migrations"
ORIGINAL = "0001-original-installation"
TAKEOVER = "0005-takeover"

_table = re.compile(r"^CREATE TABLE (?:IF NOT EXISTS )?(\w+)", re.MULTILINE)

type Direction = Literal["apply", "rollback"]


def migrate(database_url: str) -> list[str]:
    """Apply what is missing and return the names of the migrations applied, in order.

    A database of the original has the tables of the first one already: that is noted, and all
    others follow in the same transaction, up to one that is no transaction. Waits up to 30 seconds
    for PostgreSQL, and up to ten minutes for locks, during which others go on. Raises
    MigrationError.
    """
    with open_backend(database_url) as backend:
        missing = list(backend.to_apply(_migrations()))
        applied: list[str] = []
        if missing and missing[0].id == ORIGINAL and _is_original(backend.connection):
            together = list(takewhile(_is_transaction, missing))
            applied = backend.give_way("taking it over", lambda: _adopt(backend, together))
            missing = missing[len(together) :]
        applied += [_run_alone(backend, migration, "apply") for migration in missing]
        _refuse_missing_tables(backend.connection)
        return applied


def roll_back(database_url: str, count: int | None = None) -> list[str]:
    """Undo the last `count` migrations, or all, and return their names, the newest first.

    What the undone tables and columns held is lost; tables that the original made stay. Raises
    MigrationError.
    """
    with open_backend(database_url) as backend:
        applied = list(backend.to_rollback(_migrations()))
        if _is_original(backend.connection):
            applied = [migration for migration in applied if migration.id != ORIGINAL]
        return [_run_alone(backend, migration, "rollback") for migration in applied[:count]]


def is_original(database_url: str) -> bool:
    """Whether the original installation made this database, taken over or not yet.

    Waits up to 30 seconds for PostgreSQL. Raises MigrationError, also for another revision of it
    than the one that can be taken over.
    """
    with open_connection(database_url) as connection:
        return _is_original(connection)


def take_over(settings: TakeoverSettings) -> Outcome:
    """Bring the secrets of a migrated database of the original into our form.

    Raises MigrationError; what was done until then stays, and is not done again.
    """
    with alone(settings.owner_url) as connection:
        vault = Vault(settings.encryption_keys)
        with waiting_for("the secrets to be taken over", tell):
            return take_over_secrets(connection, vault, settings.old_secret, settings.secret_key)


def grant(database_url: str, role: str) -> None:
    """Let the role of the services do what they need. Raises MigrationError: there is none."""
    with alone(database_url) as connection:
        grant_rights(connection, role, _tables())


def _is_original(connection: psycopg.Connection) -> bool:
    revision = read_revision(connection)
    if revision not in {None, REVISION}:
        raise MigrationError(
            f"the original's own migrations have brought it to revision {revision}, and only"
            f" {REVISION} can be taken over: please bring it there with them first"
        )
    return revision is not None


def _refuse_missing_tables(connection: psycopg.Connection) -> None:
    """Where tables were dropped, and the notes that they were made stayed."""
    sql = "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL"
    if missing := [name for (name,) in connection.execute(sql, [_tables()])]:
        raise MigrationError(f"tables are gone ({', '.join(missing)}): {REMEDY}")


def _tables() -> list[str]:
    files = [path for path in MIGRATIONS.glob("[0-9]*.sql") if ".rollback" not in path.name]
    return sorted({name for path in files for name in _table.findall(path.read_text())})


def _migrations() -> MigrationList:
    migrations = read_migrations(escape(str(MIGRATIONS)))
    if not migrations:
        raise MigrationError(f"there are no migrations in {MIGRATIONS}")
    return migrations


def _adopt(backend: Backend, missing: list[Migration]) -> list[str]:
    """Note that the original made its tables, and apply the others; returns their names."""
    original, *others = missing
    backend.mark_one(original)
    return [_run(backend, migration, "apply") for migration in others]


def _run_alone(backend: Backend, migration: Migration, direction: Direction) -> str:
    """Take one migration in transactions of its own, and return its name."""
    if not _is_transaction(migration):
        _run_statements(backend, migration, direction)
    what = f"{direction} of {migration.id}"
    return backend.give_way(what, lambda: _run(backend, migration, direction))


def _is_transaction(migration: Migration) -> bool:
    migration.load()
    return bool(migration.use_transactions)


def _run_statements(backend: Backend, migration: Migration, direction: Direction) -> None:
    """Run the statements of a migration that is no transaction; the note of it comes after."""
    path = Path(migration.path)
    path = path if direction == "apply" else path.with_suffix(".rollback.sql")
    what = f"{direction} of {migration.id}"
    try:
        for statement in read_statements(path):
            with waiting_for(what, tell):
                run_statement(backend.connection, partial(backend.give_way, what), statement)
    except psycopg.Error as fault:
        raise MigrationError(f"{what}: {one_line(fault)}") from fault


def _run(backend: Backend, migration: Migration, direction: Direction) -> str:
    """Take one migration and the note of it in a transaction, and return its name.

    One that is no transaction has been taken before, and only the note is left. yoyo by itself
    commits first and notes it later: a kill in between would block every later start, which would
    apply the migration once more.
    """
    note = {"apply": backend.mark_one, "rollback": backend.unmark_one}[direction]
    try:
        with waiting_for(f"{direction} of {migration.id}", tell), backend.transaction():
            if _is_transaction(migration):
                migration.process_steps(backend, direction)
            backend.log_migration(migration, direction)
            note(migration, log=False)
    except LOCKED_OUT:
        raise
    except (psycopg.Error, BadMigration) as fault:
        raise MigrationError(f"{direction} of {migration.id}: {one_line(fault)}") from fault
    return str(migration.id)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise ArgumentTypeError("N must be a whole number above zero")
    return int(text)


def _migrate(place: MigratingSettings) -> list[str]:
    """What was done, in lines. The settings are checked before the database is touched."""
    settings = load_settings(TakeoverSettings) if is_original(place.owner_url) else None
    lines = [f"applied {name}" for name in migrate(place.owner_url)]
    if settings is not None:
        lines += describe_outcome(take_over(settings))
    if place.services_role is not None:
        grant(place.owner_url, place.services_role)
    return lines or ["nothing to apply"]


def _roll_back(database_url: str, count: int | None) -> list[str]:
    names = roll_back(database_url, count)
    lines = [f"rolled back {name}" for name in names]
    if is_original(database_url) and len(names) != count:
        return [*lines, f"{ORIGINAL} stays: the original's tables and what they hold are its own"]
    return lines or ["nothing to roll back"]


def _report(database_url: str) -> list[str]:
    with open_connection(database_url) as connection, waiting_for("the report", tell):
        return report(connection, load(TAKEOVER).count_repairs)


def load(name: str) -> Any:
    """The module of a migration."""
    [migration] = [each for each in _migrations() if each.id == name]
    migration.load()
    return migration.module


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = ArgumentParser(prog="python -m shared.upgrade.migrate", description=__doc__)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--rollback",
        metavar="N",
        nargs="?",
        type=_count,
        default=SUPPRESS,
        help="undo the last N migrations, without N all of them, and what their tables hold",
    )
    choice.add_argument(
        "--report",
        action="store_true",
        help="say what taking over an installation of the original would do, and change nothing",
    )
    options = parser.parse_args(arguments)
    try:
        place = load_settings(MigratingSettings)
        if options.report:
            lines = _report(place.owner_url)
        elif "rollback" in options:
            lines = _roll_back(place.owner_url, options.rollback)
        else:
            lines = _migrate(place)
    except (MigrationError, SettingsError) as fault:
        print(f"The database was not migrated: {fault}", file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
