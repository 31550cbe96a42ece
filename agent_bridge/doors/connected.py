"""Who is connected at this door: of each identity the newest connection, wherever that is."""

import asyncio
import logging
from collections.abc import Iterator

from agent_bridge import metrics
from agent_bridge.doors.connection import Connection

logger = logging.getLogger(__name__)

REPLACED = "The same agent has connected again"
LEAVE_SECONDS = 5.0


class Connected:
    """Connections by identity."""

    def __init__(self) -> None:
        self._connections: dict[str, Connection] = {}
        self._ending: dict[Connection, asyncio.Task[None]] = {}
        metrics.DOOR_CONNECTIONS.set_function(lambda: len(self))

    def __iter__(self) -> Iterator[Connection]:
        """All of them, as they are now."""
        return iter(list(self._connections.values()))

    def __len__(self) -> int:
        """How many there are."""
        return len(self._connections)

    def find(self, identity: str) -> Connection | None:
        """Who is connected here with this identity."""
        return self._connections.get(identity)

    async def add(self, connection: Connection) -> None:
        """Take it in, once an older one of the same identity has left the router."""
        while older := self._connections.get(connection.identity):
            await asyncio.wait({self.end(older, REPLACED)})
        self._connections[connection.identity] = connection

    def remove(self, connection: Connection) -> None:
        """Forget it, if it is still the one with its identity."""
        if self._connections.get(connection.identity) is connection:
            del self._connections[connection.identity]

    def end(self, connection: Connection, reason: str) -> asyncio.Task[None]:
        """Begin to have one leave, unless that has begun; the task is done when it has left."""
        if connection not in self._ending:
            task = asyncio.create_task(self._end(connection, reason))
            self._ending[connection] = task
            task.add_done_callback(lambda _: self._ending.pop(connection))
        return self._ending[connection]

    async def _end(self, connection: Connection, reason: str) -> None:
        """Tell it, and wait; it is forgotten when it has left, or when it does not."""
        logger.info("%s is to leave: %s", connection.identity, reason)
        telling = asyncio.create_task(connection.dismiss(reason))
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await connection.ended.wait()
        except TimeoutError:
            connection.abort()
            await connection.ended.wait()
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            self.remove(connection)

    async def close_all(self) -> None:
        """Have all leave, to come again at another bridge."""
        await asyncio.gather(*(connection.close() for connection in self))
