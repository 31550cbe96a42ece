"""Runs statements on asyncpg's own connection, each translated once.

`databases` would compile the text anew for every call and wrap every row: half of what a bridge
spends on a statement.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from databases import Database
from databases.core import Connection
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

_DIALECT = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

type Values = Mapping[str, Any]


@cache  # as many as there are statements in the source
def translate(statement: str) -> tuple[str, tuple[str, ...]]:
    """A statement with `:name` for its values, with `$1` for them; and the names in that order."""
    compiled = text(statement).compile(dialect=_DIALECT)
    return compiled.string, tuple(compiled.positiontup or ())


class DirectConnection(Connection):
    """A connection whose rows are asyncpg's."""

    async def fetch_all(self, query: Any, values: Values | None = None) -> list[Any]:
        """All rows."""
        return cast("list[Any]", await self._run("fetch", query, values))

    async def fetch_one(self, query: Any, values: Values | None = None) -> Any:
        """The first row, or None."""
        return await self._run("fetchrow", query, values)

    async def fetch_val(self, query: Any, values: Values | None = None, column: Any = 0) -> Any:
        """A column of the first row, or None."""
        row = await self.fetch_one(query, values)
        return None if row is None else row[column]

    async def execute(self, query: Any, values: Values | None = None) -> Any:
        """Run a statement for what it does."""
        return await self.fetch_val(query, values)

    async def _run(self, method: str, statement: str, values: Values | None) -> Any:
        sql, names = translate(statement)
        given = [values[name] for name in names] if values else []
        async with self._query_lock:
            return await getattr(self.raw_connection, method)(sql, *given)


class DirectDatabase(Database):
    """A pool that lends such connections, to each task its own."""

    def connection(self) -> Connection:
        """The connection of this task, which gets one if it has none."""
        if self._connection is None:
            self._connection = DirectConnection(self, self._backend)
        return self._connection
