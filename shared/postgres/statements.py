"""Runs statements on asyncpg's own connections, each translated once, and lends these.

`databases` would compile the text anew for every call and wrap every row: half of what a bridge
spends on a statement. And a task whose connection it could not take back would keep that for ever.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from asyncpg import (
    InterfaceError,
    Pool,
    PostgresConnectionError,
    ReadOnlySQLTransactionError,
)
from attrs import frozen
from databases import Database
from databases.core import Connection
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from shared.postgres.poolers import ServerConnection
from shared.postgres.pulse import Pulse

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy
    from asyncpg.prepared_stmt import PreparedStatement

_DIALECT = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

MANY_ROWS = 100
CANCEL_SECONDS = 1.0  # in which a server says that a statement has ended that nobody waits for
LARGE_ANSWERS = 2  # read at once, of statements whose last answer had many rows
_NO_WAIT = nullcontext()

# After these another server may be the right one: this one says nothing, is gone, or only reads.
_LOST = (TimeoutError, PostgresConnectionError, ReadOnlySQLTransactionError)

type Values = Mapping[str, Any]


@cache  # as many as there are statements in the source
def translate(statement: str) -> tuple[str, tuple[str, ...]]:
    """A statement with `:name` for its values, with `$1` for them; and the names in that order."""
    compiled = text(statement).compile(dialect=_DIALECT)
    return compiled.string, tuple(compiled.positiontup or ())


class LargeAnswers:
    """Keeps answers with many rows apart: to read and to use several at once holds the loop."""

    def __init__(self) -> None:
        self._statements: set[str] = set()
        self._room = asyncio.Semaphore(LARGE_ANSWERS)
        self._turn = asyncio.Lock()

    def room_for(self, statement: str) -> AbstractAsyncContextManager[None]:
        """What to wait for before it is sent: its answer may be large."""
        return self._room if statement in self._statements else _NO_WAIT

    async def note(self, statement: str, rows: int) -> None:
        """Note how large it was; wait for a turn of the loop in which no other one is used."""
        if rows <= MANY_ROWS:
            self._statements.discard(statement)
            return
        self._statements.add(statement)
        async with self._turn:
            await asyncio.sleep(0)


class DirectConnection(Connection):
    """A connection that is lent to one task; its rows are asyncpg's."""

    def __init__(
        self,
        raw: "ServerConnection | PoolConnectionProxy[Any]",
        large: LargeAnswers | None = None,
        pulse: Pulse | None = None,
    ) -> None:
        # Not super's: its locks are for tasks that share a connection, which none do here.
        self._raw = cast("Any", raw)
        self._is_pooled: bool = self._raw.is_pooled
        self._large, self._pulse = large or LargeAnswers(), pulse or Pulse()
        self._prepared: dict[str, PreparedStatement[Any]] = {}
        self.is_lost = False
        """Whether its server may no longer be the right one."""

    @property
    def raw_connection(self) -> Any:
        """asyncpg's own."""
        return self._raw

    @property
    def is_sound(self) -> bool:
        """Whether it can be lent again as it is: it is open, and no transaction is."""
        try:
            return not (self._raw.is_closed() or self._raw.is_in_transaction())
        except InterfaceError:  # it was closed, and the pool knows
            return False

    async def fetch_all(self, query: Any, values: Values | None = None) -> list[Any]:
        """All rows."""
        async with self._large.room_for(query):
            rows: list[Any] = await self._run("fetch", query, values)
        await self._large.note(query, len(rows))
        return rows

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

    async def _run(self, how: str, statement: str, values: Values | None) -> Any:
        sql, names = translate(statement)
        arguments = [values[name] for name in names] if values else ()
        try:
            if self._is_pooled:
                prepared = self._prepared.get(sql) or await self._prepare(sql)
                found = await getattr(prepared, how)(*arguments)
            else:
                found = await getattr(self._raw, how)(sql, *arguments)
        except Exception as error:
            self._pulse.fail(error)
            self.is_lost = self.is_lost or isinstance(error, _LOST)
            raise
        self._pulse.succeed()
        return found

    async def _prepare(self, sql: str) -> "PreparedStatement[Any]":
        """An unnamed statement: asyncpg keeps its types, and has it parsed with each run."""
        prepared: PreparedStatement[Any] = await self._raw.prepare(sql, name="")
        self._prepared[sql] = prepared
        return prepared


@frozen
class Connections:
    """Connections of a pool to PostgreSQL, and how many there may be."""

    idle: int
    in_use: int
    most: int


class DirectDatabase(Database):
    """A pool that lends such connections, to each task its own.

    asyncpg's pool opens and closes them. It would also take a task to take each back, and two more
    turns of the loop to give it to who waits: a quarter of what a small statement costs.
    """

    def __init__(self, url: str, *, max_size: int, **options: Any) -> None:
        super().__init__(url, max_size=max_size, connection_class=ServerConnection, **options)
        self._lent: dict[asyncio.Task[Any], DirectConnection] = {}
        # The last one that came back goes first; None is one that is still to be opened.
        self._free: asyncio.LifoQueue[DirectConnection | None] = asyncio.LifoQueue()
        for _ in range(max_size):
            self._free.put_nowait(None)
        self._is_closing = False
        self._large = LargeAnswers()
        self.pulse = Pulse()

    async def disconnect(self) -> None:
        """Close the connections, each when it has come back."""
        self._is_closing = True
        while not self._free.empty():
            if connection := self._free.get_nowait():
                await self._pool.release(connection.raw_connection)
        await super().disconnect()

    @property
    def lent(self) -> DirectConnection | None:
        """The connection that this task has, if it has one."""
        return self._lent.get(_this_task())

    async def lend(self, seconds: float) -> DirectConnection:
        """A connection for this task, when there is one. Raises TimeoutError."""
        try:
            connection = self._free.get_nowait()
        except asyncio.QueueEmpty:
            async with asyncio.timeout(seconds):
                connection = await self._free.get()
        if connection is None or not connection.is_sound:
            connection = await self._open(seconds, connection)
        self._lent[_this_task()] = connection
        return connection

    async def take_back(
        self, connection: DirectConnection, error: BaseException | None = None
    ) -> None:
        """End the loan. Whatever becomes of the connection: the task can get another one.

        Where a statement found that its server may not be the right one any more, all connections
        to that end: another one may be by now.
        """
        del self._lent[_this_task()]
        if connection.is_lost:
            self._end_idle()
        if isinstance(error, ReadOnlySQLTransactionError):
            connection.raw_connection.terminate()
        is_good = connection.is_sound and error is None and not connection.is_lost
        if is_good and not self._is_closing:
            self._free.put_nowait(connection)
            return
        try:
            with suppress(TimeoutError):  # the pool has ended it then
                await self._pool.release(connection.raw_connection, timeout=CANCEL_SECONDS)
        finally:
            self._free.put_nowait(None)

    def _end_idle(self) -> None:
        """End those that nobody has; each is replaced when it is wanted."""
        free = [self._free.get_nowait() for _ in range(self._free.qsize())]
        for each in free:
            if each is not None and each.is_sound:
                each.raw_connection.terminate()
            self._free.put_nowait(each)

    def measure(self) -> Connections:
        """How many connections there are."""
        pool = self._pool
        in_use = pool.get_max_size() - self._free.qsize()
        idle = max(0, pool.get_size() - in_use)  # one that is lent may be still to be opened
        return Connections(idle, in_use, pool.get_max_size())

    async def _open(self, seconds: float, dead: DirectConnection | None) -> DirectConnection:
        """A connection of the pool, which has one for each that is free here."""
        try:
            async with asyncio.timeout(seconds):
                if dead is not None:
                    await self._pool.release(dead.raw_connection)
                return DirectConnection(await self._pool.acquire(), self._large, self.pulse)
        except BaseException:
            self._free.put_nowait(None)
            raise

    @property
    def _pool(self) -> "Pool[Any]":
        """asyncpg's own, once it is open."""
        return cast("Pool[Any]", self._backend._pool)  # noqa: SLF001


def _this_task() -> "asyncio.Task[Any]":
    task = asyncio.current_task()
    assert task is not None, "a connection is lent to a task"
    return task
