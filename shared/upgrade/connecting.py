"""The session that migrates: one at a time, which gives way to who works meanwhile."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import default_migration_table

from shared.process.reaching import reach_postgres
from shared.process.waiting import waiting_for
from shared.settings.postgres import read_address
from shared.upgrade.giving_way import HeldUpError, give_way
from shared.upgrade.session import SessionError, await_turn, settle

WAIT_SECONDS = 30.0
CONNECT_SECONDS = 5
OTHERS = "another migration to end"
REMEDY = (
    "please restore a backup, or, if nothing in it is needed, drop its schema `public`, create that"
    " again, and migrate"
)


class MigrationError(Exception):
    """The database is as it was before the migration that failed; the text says what did."""


class Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]  # yoyo has no types
    """yoyo's own lock is a row, which survives a kill and blocks every later start.

    Ours belongs to the very session that migrates: PostgreSQL frees it when the work of a
    dead process has been undone, and not before.
    """

    database_url: str

    @contextmanager
    def lock(self, timeout: float = 10) -> Iterator[None]:
        """Wait for whoever migrates now; held until the connection closes, and reentrant."""
        with waiting_for(OTHERS, tell):
            await_turn(self.connection)
        yield

    def give_way[T](self, what: str, work: Callable[[], T]) -> T:
        """Do it in one transaction, when its locks can be had. Raises MigrationError."""
        try:
            return give_way(self.database_url, self.connection, self.transaction, work, tell)
        except HeldUpError as fault:
            raise MigrationError(f"{what}: {fault}") from fault

    def ensure_internal_schema_updated(self) -> None:
        """yoyo only asserts that its table of versions has a row. Raises MigrationError."""
        try:
            super().ensure_internal_schema_updated()
        except AssertionError:
            raise MigrationError(f"the notes of its migrations are gone: {REMEDY}") from None


@contextmanager
def alone(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection, once nobody else migrates. Raises MigrationError, also for what fails on it."""
    with open_connection(database_url) as connection:
        with waiting_for(OTHERS, tell):
            await_turn(connection)
        yield connection


@contextmanager
def open_connection(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection, beside whoever migrates. Raises MigrationError, also for what fails on it."""
    try:
        _wait_for_server(database_url)
        with psycopg.connect(
            database_url, autocommit=True, connect_timeout=CONNECT_SECONDS
        ) as connection:
            settle(connection)
            yield connection
    except (psycopg.Error, SessionError) as fault:
        raise MigrationError(one_line(fault)) from fault


@contextmanager
def open_backend(database_url: str) -> Iterator[Backend]:
    """What migrates, and nobody else does. Raises MigrationError, also for what fails on it."""
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
        with Backend(uri, default_migration_table) as backend:
            settle(backend.connection)
            with backend.lock():
                backend.database_url = database_url
                yield backend
    except (psycopg.Error, SessionError) as fault:
        raise MigrationError(one_line(fault)) from fault


def tell(text: str) -> None:
    """Say it to whoever migrates."""
    print(text, file=sys.stderr, flush=True)


def _wait_for_server(database_url: str) -> None:
    """Return when it lets in, or too late: connecting then says what is wrong.

    Not by libpq's ping, which holds the interpreter: nobody could tell what is waited for.
    """
    address = read_address(database_url)
    place = f"PostgreSQL at {address.place}"
    with waiting_for(place, tell), ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, reach_postgres(address, WAIT_SECONDS)).result()


def one_line(fault: Exception) -> str:
    """What it says, without line breaks."""
    return " ".join(str(fault).split())
