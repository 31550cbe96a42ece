"""Statements that tests run in an installation's database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

from shared.settings.installation import Settings

type Sql = Callable[..., list[dict[str, Any]]]


@contextmanager
def run_sql(settings: Settings) -> Iterator[Sql]:
    """What runs a statement in the database of these settings and returns its rows."""
    url = settings.database_url
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:

        def run(statement: str, *values: object) -> list[dict[str, Any]]:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

        yield run
