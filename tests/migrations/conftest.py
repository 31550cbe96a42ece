"""Databases to migrate: a fresh one for each test, and a migrated one for rows that do not stay."""

import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copy
from uuid import UUID

import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict

from devstack.postgres import PostgresServer
from shared.upgrade import migrate as migrating
from shared.upgrade.migrate import MIGRATIONS, migrate
from tests.original import OLD_SECRET, create_tables
from tests.system import EMPTY, run_database, url_of

from .rows import insert_session, insert_user

NAMES = sorted(path.stem for path in MIGRATIONS.glob("[0-9]*") if ".rollback" not in path.name)
FIRST, *LATER = NAMES
LAST = NAMES[-1]


@contextmanager
def fresh_database(server: PostgresServer, template: str = EMPTY) -> Iterator[str]:
    """Create a database and yield its URL; the name is one that has to be quoted there."""
    with run_database(server, template, prefix="migrations ") as name:
        yield url_of(server, name)


@pytest.fixture
def beginning() -> str:
    """What the test's database is a copy of: nothing, where its module says nothing else."""
    return EMPTY


@pytest.fixture
def database(postgres: PostgresServer, beginning: str) -> Iterator[str]:
    with fresh_database(postgres, beginning) as url:
        yield url


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def original(connection: Connection) -> Connection:
    """The original's tables in the test's database."""
    create_tables(connection)
    return connection


def variables(database: str) -> dict[str, str]:
    """Return the environment for a database: no secrets of the services."""
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "DB"}
    return {
        f"POSTGRES_{names[name]}": str(value) for name, value in conninfo_to_dict(database).items()
    }


@pytest.fixture
def variables_of(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment says where the test's database is."""
    monkeypatch.chdir(tmp_path)  # no `.env` there
    for name, value in variables(database).items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def complete() -> dict[str, str]:
    """What the services need besides, under the original's secret."""
    return {
        "SECRET_KEY": OLD_SECRET,
        "ENCRYPTION_KEYS": b64encode(secrets.token_bytes(32)).decode(),
        "MASTER_BE_API_KEY": secrets.token_hex(16),
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands in for `migrations/` and holds the first migration only."""
    for file in (f"{FIRST}.sql", f"{FIRST}.rollback.sql"):
        copy(MIGRATIONS / file, tmp_path)
    monkeypatch.setattr(migrating, "MIGRATIONS", tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def migrated_database(postgres: PostgresServer) -> Iterator[str]:
    """The name of a migrated database, to copy, or to use and leave as it was."""
    with run_database(postgres, prefix="migrations ") as name:
        migrate(url_of(postgres, name))
        yield name


@pytest.fixture
def migrated(postgres: PostgresServer, migrated_database: str) -> Iterator[Connection]:
    """A transaction in a migrated database that leaves nothing behind."""
    with psycopg.connect(url_of(postgres, migrated_database)) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def session(migrated: Connection) -> UUID:
    """A chat session there."""
    return insert_session(migrated, insert_user(migrated))
