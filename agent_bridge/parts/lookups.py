"""Parts that wait, in their order, until PostgreSQL has said something of what they name."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from itertools import islice
from time import monotonic
from uuid import UUID

from databases import Database
from databases.core import Connection

from agent_bridge import metrics
from agent_bridge.router.frames import AgentLogged, read_uuid
from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)

KNOWN_SECONDS = 2.0
KNOWN_LIMIT = 10_000  # names
WAITING_LIMIT = 1_000  # names
PARTS_LIMIT = 1_000  # of a name, that wait
TOGETHER = 100  # names that one statement looks up

type Select[V] = Callable[[Connection, list[UUID]], Awaitable[dict[UUID, V]]]
type Then[V] = Callable[[AgentLogged, V | None], bool]


class Lookups[V]:
    """What is known of ids, for a moment."""

    def __init__(self, database: Database, select: Select[V], then: Then[V]) -> None:
        """`then` gets each part with what was found, or None; False: it is dropped."""
        self._database = database
        self._select = select
        self._then = then
        self._known: OrderedDict[str, tuple[float, V | None]] = OrderedDict()
        self._waiting: dict[str, list[AgentLogged]] = {}
        self._wanted = asyncio.Event()

    def put(self, name: str, part: AgentLogged) -> bool:
        """Have a part go on as soon as it is known of what it names; False: it is dropped."""
        if (waiting := self._waiting.get(name)) is not None:
            if len(waiting) >= PARTS_LIMIT:
                return False
            waiting.append(part)
            return True
        until, found = self._known.get(name, (0.0, None))
        if until > monotonic():
            return self._then(part, found)
        if len(self._waiting) >= WAITING_LIMIT:
            return False
        self._waiting[name] = [part]
        self._wanted.set()
        return True

    async def run(self) -> None:
        """Look up what is named, for ever."""
        while True:
            await self._wanted.wait()
            names = list(islice(self._waiting, TOGETHER))
            found = await self._find(names)
            until = monotonic() + KNOWN_SECONDS
            for name in names:
                self._known[name] = until, found.get(name)
                self._known.move_to_end(name)
                for part in self._waiting.pop(name):
                    if not self._then(part, found.get(name)):
                        metrics.PARTS_DROPPED.inc()
            while len(self._known) > KNOWN_LIMIT:
                self._known.popitem(last=False)
            if not self._waiting:
                self._wanted.clear()

    async def _find(self, names: list[str]) -> dict[str, V]:
        ids = {name: id_ for name in names if (id_ := _read(name))}
        if not ids:
            return {}
        try:
            async with connect(self._database) as connection:
                found = await self._select(connection, list(ids.values()))
        except DatabaseAwayError as error:
            logger.warning("parts are dropped: %s", error)
            return {}
        return {name: found[id_] for name, id_ in ids.items() if id_ in found}


def _read(name: str) -> UUID | None:
    try:
        return read_uuid(name)
    except ValueError:
        return None
