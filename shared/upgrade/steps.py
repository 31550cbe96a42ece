"""Migrations that are no transaction: their statements one by one, all again after a kill.

Such a migration says `-- transactional: false` and is written so that each statement of it may run
when it has run before.
"""

import re
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql
from yoyo.migrations import read_sql_migration

IN_BATCHES = "/* in batches */"

_concurrently = re.compile(r"\bCONCURRENTLY\b", re.IGNORECASE)
_new_index = re.compile(
    r"^CREATE (?:UNIQUE )?INDEX CONCURRENTLY (?:IF NOT EXISTS )?(\w+)", re.IGNORECASE | re.MULTILINE
)

type GiveWay = Callable[[Callable[[], int]], int]
"""Does work in a transaction of its own, when its locks can be had; returns what that does."""


def read_statements(path: Path) -> list[str]:
    """The statements of a file of SQL, with the comments before them; none where there is none."""
    _, _, statements = read_sql_migration(str(path))
    return [str(each) for each in statements]


def run_statement(connection: psycopg.Connection, give_way: GiveWay, statement: str) -> None:
    """Run a statement on a connection that commits by itself, however often it ran before.

    One with CONCURRENTLY is no transaction. It waits for others as long as it takes: nobody waits
    behind it. One with `/* in batches */` runs until it changes no row. Raises psycopg.Error.
    """

    def execute() -> int:
        return connection.execute(statement.encode()).rowcount

    if _concurrently.search(statement):
        _drop_unfinished(connection, _new_index.findall(statement))
        execute()
    elif IN_BATCHES in statement:
        while give_way(execute):
            pass
    else:
        give_way(execute)


def _drop_unfinished(connection: psycopg.Connection, names: list[str]) -> None:
    """Drop what is left of an index whose making was cut short: it would count as being there."""
    query = "SELECT FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid"
    for name in names:
        if connection.execute(query, [name]).fetchone() is not None:
            drop = sql.SQL("DROP INDEX CONCURRENTLY {}")
            connection.execute(drop.format(sql.Identifier(name)))
