"""What several want of PostgreSQL at the same time, by one statement."""

from collections.abc import Awaitable, Callable, Sequence

from databases import Database
from databases.core import Connection

from shared.postgres.pool import DatabaseAwayError, connect
from shared.process.batching import Batcher

TOGETHER = 32  # at a time


def together[T, R](
    database: Database, ask: Callable[[Connection, Sequence[T]], Awaitable[Sequence[R]]]
) -> Batcher[T, R]:
    """Asks for all who come while others are being answered; raises DatabaseAwayError.

    For what waits for no lock: one would hold up everybody.
    """

    async def ask_for_all(things: list[T]) -> Sequence[R]:
        async with connect(database) as connection:
            return await ask(connection, things)

    return Batcher(ask_for_all, TOGETHER, nobodys=(DatabaseAwayError,))
