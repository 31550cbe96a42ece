"""Migrations that are taken back, and applied again, where all have been applied."""

from uuid import uuid4

import pytest
from psycopg import Connection

from shared.upgrade.connecting import MigrationError
from shared.upgrade.migrate import migrate, roll_back

from .catalogue import read_tables
from .conftest import LATER, NAMES
from .rows import insert_agent, insert_config, insert_user
from .test_migrations import ORIGINAL_TABLES


@pytest.fixture
def beginning(migrated_database: str) -> str:
    return migrated_database


def test_later_migrations_can_be_taken_back_alone(database: str, connection: Connection) -> None:
    assert roll_back(database, len(LATER)) == LATER[::-1]
    assert read_tables(connection) == ORIGINAL_TABLES


def test_from_any_earlier_state_an_upgrade_comes_to_the_same(
    database: str, connection: Connection
) -> None:
    def log(message: int) -> None:
        connection.execute(
            "INSERT INTO logs (session_id, request_id, message, log_level) VALUES (%s, %s, %s, '')",
            [session, session, str(message)],
        )

    tables, session, missing = read_tables(connection), uuid4(), [1, 2, 3, 8, len(LATER)]
    log(0)  # where there are none, ids become smaller again, and stay so if there are some then
    for count in missing:
        roll_back(database, count)
        log(count)
        assert migrate(database) == NAMES[-count:]
        assert read_tables(connection) == tables
    query = "SELECT message FROM logs WHERE session_id = %s ORDER BY id"
    found = [int(message) for (message,) in connection.execute(query, [session])]
    assert found == [0, *missing]


def test_taking_back_is_refused_while_the_original_could_not_hold_the_data(
    database: str, connection: Connection
) -> None:
    roll_back(database, len(LATER) - 1)
    for _ in range(2):
        insert_config(connection, insert_user(connection), "mine")
    tables = read_tables(connection)
    with pytest.raises(MigrationError, match=r"rollback of 0002-requests: .*mine"):
        roll_back(database)
    assert read_tables(connection) == tables


def test_agents_of_before_are_verified_and_new_ones_are_not_yet(
    database: str, connection: Connection
) -> None:
    roll_back(database, len(NAMES) - NAMES.index("0017-verified-agents"))
    creator = insert_user(connection)
    old = insert_agent(connection, creator)
    migrate(database)
    new = insert_agent(connection, creator)
    found = connection.execute("SELECT id, is_verified FROM agents").fetchall()
    assert dict(found) == {old: True, new: None}
