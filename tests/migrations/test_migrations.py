"""What the migrations make of a database, on the way up and down."""

import json
import re
from pathlib import Path
from shutil import copytree
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection, sql

from shared.upgrade.migrate import MIGRATIONS, migrate, roll_back

from .catalogue import read_enums, read_left_overs, read_tables
from .conftest import FIRST, LATER, NAMES
from .rows import insert

ORIGINAL: dict[str, Any] = json.loads((Path(__file__).parent / "schema.json").read_text())
ORIGINAL_TABLES = {
    name: table for name, table in ORIGINAL["tables"].items() if name != "alembic_version"
}

# One value for each type: with every id the same, all foreign keys hold.
SAMPLES = {
    "uuid": UUID(int=7),
    "integer": 7,
    "character varying": "text",
    "json": '{"key": [1]}',
    "boolean": True,
    "double precision": 0.5,
    "sendertype": "master_agent",
    "timestamp without time zone": "2024-02-29 12:00:00.000001",
}


# What has to have a certain form; where it has not, it is repaired.
FORMED = {
    ("mcptools", "alias"): "text_abcdef",
    ("agentworkflows", "flow"): f'[{{"id": "{UUID(int=7)}", "type": "genai"}}]',
    ("a2acards", "card_content"): (
        '{"skills": [], "defaultInputModes": [], "defaultOutputModes": ["text"]}'
    ),
    ("chatmessages", "content"): '{"agents_trace": [], "response": "r", "is_success": true}',
}


def fill_original_tables(connection: Connection) -> None:
    """Add one row to each table of the original, with a value in each column."""
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = 'replica'")  # tables in any order
        for name, table in ORIGINAL_TABLES.items():
            row = {
                column["name"]: FORMED.get((name, column["name"]), SAMPLES[column["type"]])
                for column in table["columns"]
            }
            insert(connection, name, row)


def select_original_columns(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of the original's tables, in the columns that the original has."""
    rows = {}
    for name, table in ORIGINAL_TABLES.items():
        columns = [sql.Identifier(column["name"]) for column in table["columns"]]
        query = sql.SQL("SELECT {} FROM {}").format(
            sql.SQL(", ").join(columns), sql.Identifier(name)
        )
        rows[name] = connection.execute(query).fetchall()
    return rows


@pytest.mark.usefixtures("folder")
def test_first_migration_makes_the_tables_of_the_original(
    database: str, connection: Connection
) -> None:
    assert migrate(database) == [FIRST]
    assert read_tables(connection) == ORIGINAL_TABLES
    assert read_enums(connection) == ORIGINAL["enums"]


def test_all_can_be_taken_back_and_applied_again(database: str, connection: Connection) -> None:
    assert migrate(database) == NAMES
    tables = read_tables(connection)
    assert roll_back(database) == NAMES[::-1]
    assert read_left_overs(connection) == set()
    assert migrate(database) == NAMES
    assert read_tables(connection) == tables


def test_data_of_the_original_survives_up_and_down(
    database: str, connection: Connection, folder: Path
) -> None:
    migrate(database)
    fill_original_tables(connection)
    rows = select_original_columns(connection)
    copytree(MIGRATIONS, folder, dirs_exist_ok=True)
    assert migrate(database) == LATER
    assert select_original_columns(connection) == rows
    assert roll_back(database, len(LATER)) == LATER[::-1]
    assert select_original_columns(connection) == rows


def test_no_migration_brings_an_account() -> None:
    texts = [path.read_text() for path in MIGRATIONS.glob("*.sql")]
    assert texts
    assert not [
        text for text in texts if re.search(r"INSERT\s+INTO\s+users\b", text, re.IGNORECASE)
    ]
