"""Runs statements on asyncpg's own connections, each translated once, and lends these.

`databases` would compile the text anew for every call and wrap every row: half of what a bridge
spends on a statement. And a task whose connection it could not take back would keep that for ever.
"""

import asyncio
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from asyncpg import Pool
from databases import Database
from databases.core import Connection
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

_DIALECT = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

type Values = Mapping[str, Any]


@cache  # as many as there are statements in the source
def translate(statement: str) -> tuple[str, tuple[str, ...]]:
    """A statement with `:name` for its values, with `$1` for them; and the names in that order."""
    compiled = text(statement).compile(dialect=_DIALECT)
    return compiled.string, tuple(compiled.positiontup or ())


class DirectConnection(Connection):
    """A connection of the pool that is lent to one task; its rows are asyncpg's."""

    def __init__(self, raw: "PoolConnectionProxy[Any]") -> None:
        # Not super's: its locks are for tasks that share a connection, which none do here.
        self._raw = raw

    @property
    def raw_connection(self) -> Any:
        """asyncpg's own."""
        return self._raw

    async def fetch_all(self, query: Any, values: Values | None = None) -> list[Any]:
        """All rows."""
        return await self._raw.fetch(*_prepare(query, values))

    async def fetch_one(self, query: Any, values: Values | None = None) -> Any:
        """The first row, or None."""
        return await self._raw.fetchrow(*_prepare(query, values))

    async def fetch_val(self, query: Any, values: Values | None = None, column: Any = 0) -> Any:
        """A column of the first row, or None."""
        row = await self.fetch_one(query, values)
        return None if row is None else row[column]

    async def execute(self, query: Any, values: Values | None = None) -> Any:
        """Run a statement for what it does."""
        return await self.fetch_val(query, values)


def _prepare(statement: str, values: Values | None) -> list[Any]:
    sql, names = translate(statement)
    return [sql, *(values[name] for name in names)] if values else [sql]


class DirectDatabase(Database):
    """A pool that lends such connections, to each task its own."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self._lent: WeakKeyDictionary[asyncio.Task[Any], DirectConnection] = WeakKeyDictionary()

    @property
    def pool(self) -> "Pool[Any]":
        """asyncpg's own, once it is open."""
        return cast("Pool[Any]", self._backend._pool)  # noqa: SLF001

    @property
    def lent(self) -> DirectConnection | None:
        """The connection that this task has, if it has one."""
        return self._lent.get(_this_task())

    async def lend(self) -> DirectConnection:
        """A connection for this task, when there is one."""
        connection = DirectConnection(await self.pool.acquire())
        self._lent[_this_task()] = connection
        return connection

    async def take_back(self, connection: DirectConnection) -> None:
        """End the loan. Whatever becomes of the connection: the task can get another one."""
        del self._lent[_this_task()]
        await self.pool.release(connection.raw_connection)


def _this_task() -> "asyncio.Task[Any]":
    task = asyncio.current_task()
    assert task is not None, "a connection is lent to a task"
    return task
