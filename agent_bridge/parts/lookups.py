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
from agent_bridge.router.frames import AgentLogged
from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)

KNOWN_SECONDS = 2.0
KNOWN_LIMIT = 10_000  # ids
WAITING_LIMIT = 1_000  # ids
PARTS_LIMIT = 1_000  # of an id, that wait
CHARACTERS_LIMIT = 4 * 1024 * 1024  # of all parts that wait
RETRY_SECONDS = 0.5
TOGETHER = 100  # ids that one statement looks up

type Select[V] = Callable[[Connection, list[UUID]], Awaitable[dict[UUID, V]]]
type Then[V] = Callable[[AgentLogged, V | None], bool]


class Lookups[V]:
    """What is known of ids, for a moment."""

    def __init__(self, database: Database, select: Select[V], then: Then[V]) -> None:
        """`then` gets each part with what was found, or None; False: it is dropped."""
        self._database = database
        self._select = select
        self._then = then
        self._known: OrderedDict[UUID, tuple[float, V | None]] = OrderedDict()
        self._waiting: dict[UUID, list[AgentLogged]] = {}
        self._characters = 0
        self._wanted = asyncio.Event()

    def put(self, id_: UUID, part: AgentLogged) -> bool:
        """Have a part go on as soon as it is known of what it names; False: it is dropped."""
        if id_ not in self._waiting:
            until, found = self._known.get(id_, (0.0, None))
            if until > monotonic():
                return self._then(part, found)
        return self._wait(id_, part)

    async def run(self) -> None:
        """Look up what is named, for ever; parts wait while PostgreSQL is away."""
        while True:
            await self._wanted.wait()
            ids = list(islice(self._waiting, TOGETHER))
            try:
                async with connect(self._database) as connection:
                    found = await self._select(connection, ids)
            except DatabaseAwayError as error:
                logger.warning("parts of answers wait: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for id_ in ids:
                self._know(id_, found.get(id_))
            while len(self._known) > KNOWN_LIMIT:
                self._known.popitem(last=False)
            if not self._waiting:
                self._wanted.clear()

    def _wait(self, id_: UUID, part: AgentLogged) -> bool:
        characters = self._characters + len(part.message)
        if characters > CHARACTERS_LIMIT:
            return False
        if id_ not in self._waiting and len(self._waiting) >= WAITING_LIMIT:
            return False
        waiting = self._waiting.setdefault(id_, [])
        if len(waiting) >= PARTS_LIMIT:
            return False
        waiting.append(part)
        self._characters = characters
        self._wanted.set()
        return True

    def _know(self, id_: UUID, found: V | None) -> None:
        self._known[id_] = monotonic() + KNOWN_SECONDS, found
        self._known.move_to_end(id_)
        for part in self._waiting.pop(id_):
            self._characters -= len(part.message)
            if not self._then(part, found):
                metrics.PARTS_DROPPED.inc()
