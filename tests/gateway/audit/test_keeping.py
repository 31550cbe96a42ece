"""How long entries are kept, and that nobody changes them, in a database that nobody serves."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from attrs import evolve
from databases import Database
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege, RaiseException

from gateway.audit.actions import Action
from gateway.audit.noting import Actor, audit
from gateway.audit.queries import pruning
from shared.postgres.pool import connect, create_database, transaction
from shared.postgres.sweeping import sweep
from shared.settings.installation import Settings

ACTOR = Actor("api", uuid4(), uuid4(), "198.51.100.1")
COUNT = "SELECT count(*) FROM audit WHERE address = %s"


@pytest.fixture
def owner(settings: Settings) -> Iterator[Connection]:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with create_database(settings) as database:
        yield database


def insert(owner: Connection, address: str, *days: int) -> None:
    """Entries of this age."""
    for age in days:
        owner.execute(
            "INSERT INTO audit (action, via, address, details, at)"
            " VALUES ('user.created', 'api', %s, '{}', now() - %s)",
            [address, timedelta(days=age)],
        )


def count(owner: Connection, address: str) -> int:
    row = owner.execute(COUNT, [address]).fetchone()
    assert row is not None
    return int(row[0])


async def test_what_is_older_than_the_days_is_deleted(
    owner: Connection, database: Database
) -> None:
    insert(owner, "aged", 0, 89, 91, 400)
    await sweep(database, "entries", pruning(90))
    assert count(owner, "aged") == 2


async def test_no_entry_younger_than_thirty_days_is_deleted(
    owner: Connection, database: Database
) -> None:
    insert(owner, "young", 0, 29, 31)
    async with connect(database) as connection:
        await pruning(1)(connection, 1000)
    assert count(owner, "young") == 2


async def test_a_batch_deletes_no_more_than_it_may(owner: Connection, database: Database) -> None:
    insert(owner, "batch", *[5000] * 3)
    async with connect(database) as connection:
        assert await pruning(4000)(connection, 2) == 2
    assert count(owner, "batch") == 1


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET address = ''", "DELETE FROM audit", "TRUNCATE audit"]
)
def test_even_the_owner_of_the_table_changes_nothing(owner: Connection, statement: str) -> None:
    insert(owner, "kept", 0)
    with pytest.raises((RaiseException, InsufficientPrivilege), match="are never changed"):
        owner.execute(statement.encode())


async def test_an_entry_of_what_is_taken_back_is_neither_stored_nor_logged(
    owner: Connection, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "audit")
    gone, stays = evolve(ACTOR, address="gone"), evolve(ACTOR, address="stays")
    async with connect(database) as connection:
        taken_back = transaction(connection)
        await taken_back.start()
        await audit(connection, gone, Action.USER_EXPORTED)
        await taken_back.rollback()
        async with transaction(connection):
            await audit(connection, stays, Action.USER_EXPORTED)
            assert caplog.records == []
    assert (count(owner, "gone"), count(owner, "stays")) == (0, 1)
    [record] = caplog.records
    assert record.__dict__["address"] == "stays"
