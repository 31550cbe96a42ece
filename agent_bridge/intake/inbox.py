"""What the router said, until PostgreSQL has taken it: log entries, and agents that come and go.

Two queues, so that a thousand agents that come at once hold up no log entry. Both are bounded, and
neither ever stops the reading from the router: the session would be deaf.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import count
from uuid import UUID

import attrs

from agent_bridge import metrics
from agent_bridge.agents.registry import Refusal, Registration, Registry
from agent_bridge.intake.entries import LOSS_SECONDS, Entries, Numbered
from agent_bridge.intake.standing import Standing
from agent_bridge.logs.store import Logs
from agent_bridge.parts.parts import LEVEL as PART_LEVEL
from agent_bridge.parts.parts import Parts
from agent_bridge.router.frames import (
    AgentLogged,
    AgentRegistered,
    AgentUnregistered,
    read_identity,
)
from agent_bridge.router.session import (
    AgentEvent,
    AgentsSeen,
    FlushMarker,
    FullError,
    LogEvent,
    RouterLost,
    TermBegan,
)
from shared.postgres.pool import DatabaseAwayError

logger = logging.getLogger(__name__)

EVENTS_LIMIT = 20_000
EVENTS_BYTES_LIMIT = 64 * 1024 * 1024  # of all that agents say of themselves
BATCH = 500  # entries stored at once: each statement, and what is told of it, has its price
BATCH_CHARACTERS = 1024 * 1024  # and one entry more
RETRY_SECONDS = 0.5
TRIAL_SECONDS = 0.2  # in which the master agent says that it does not know a form


class LogInbox:
    """Log entries, those of all agents in turn, and flush markers."""

    def __init__(
        self,
        logs: Logs,
        entries: Entries,
        parts: Parts,
        is_verified: Callable[[str], bool | None],
    ) -> None:
        """`is_verified` says of an agent whether it is who it says; None: PostgreSQL knows."""
        self._logs = logs
        self._parts = parts
        self._entries = entries
        self._is_verified = is_verified
        self._markers: list[tuple[int, FlushMarker]] = []
        self._filled = asyncio.Event()
        self._batches = count(1)

    def put(self, event: LogEvent) -> bool:
        """Add a flush marker, or an entry, unless somebody else may have its agent's place.

        An entry that is a part of a text is told, and not stored. False: the entry is lost.
        """
        if isinstance(event, FlushMarker):
            self._markers.append((self._entries.next_number(), event))
            is_kept = True
        else:
            is_verified = event.is_verified or self._is_verified(event.agent_uuid)
            if is_verified is False:
                metrics.LOG_ENTRIES_DROPPED.inc()
                return False
            if is_verified and not event.is_verified:
                event = attrs.evolve(event, is_verified=True)
            if event.log_level == PART_LEVEL:
                return self._parts.put(event)
            is_kept = self._entries.put(event)
        self._filled.set()
        return is_kept

    async def handle(self) -> None:
        """Store entries for ever; they wait while PostgreSQL is away."""
        while True:
            await self._until_filled()
            self._filled.clear()  # before anything is looked at: what comes meanwhile is not missed
            for told in self._entries.tell_losses():
                logger.warning("agent %r: %s", told.agent_uuid, told.message)
            if taken := self._entries.take(BATCH, BATCH_CHARACTERS):
                taken += await self._await_trial([waiting.entry for waiting in taken])
                await self._store([waiting.entry for waiting in taken])
                self._entries.pending.finish(*taken)
            await self._pass_markers()
            if self._entries:
                self._filled.set()

    async def flush(self, request_ids: tuple[str, ...] | None = None) -> None:
        """Wait until all that was put before of these requests, or of any, has been handled."""
        reached = asyncio.Event()

        async def reach() -> None:
            reached.set()

        self.put(FlushMarker(reach, request_ids))
        await reached.wait()

    async def until_stored(self, request_id: str) -> None:
        """Wait until what was put before of a request is stored, or lost, however long it takes."""
        if not self._entries.pending.are_stored((request_id,), self._entries.next_number()):
            await self.flush((request_id,))

    async def _until_filled(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LOSS_SECONDS if self._entries.losses else None):
                await self._filled.wait()

    async def _await_trial(self, entries: list[AgentLogged]) -> list[Numbered]:
        """What follows a call in a form that may be unknown tells whether it is."""
        if not await self._logs.may_begin_trial(entries):
            return []
        await asyncio.sleep(TRIAL_SECONDS)
        return self._entries.take(BATCH, BATCH_CHARACTERS)

    async def _store(self, entries: list[AgentLogged]) -> None:
        what, number = f"{len(entries)} log entries of agents", next(self._batches)
        while not await _try(self._logs.store(entries, number), what, len(entries)):
            await self._pass_markers()

    async def _pass_markers(self) -> None:
        """Pass those whose entries are stored: none waits for entries of other requests."""
        for each in list(self._markers):
            number, marker = each
            if self._entries.pending.are_stored(marker.request_ids, number):
                self._markers.remove(each)
                await _try(marker.passed(), "a flush marker")


type Waiting = Registration | Refusal | AgentUnregistered | AgentsSeen | RouterLost


class AgentInbox:
    """Who came and went, in order; of each agent only the latest of each kind."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._standing = Standing()
        self._waiting: dict[object, tuple[UUID, Waiting]] = {}
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()
        self._size = 0

    def put(self, term: UUID, event: AgentEvent) -> None:
        """Add what was heard in a leader's term. Raises FullError; what waits stays."""
        if isinstance(event, TermBegan):
            self._standing.hear(event)
            return
        waiting = self._registry.verify(event) if isinstance(event, AgentRegistered) else event
        if waiting is None or (isinstance(waiting, AgentUnregistered) and not _is_agent(waiting)):
            return
        key, count, size = _key(waiting), len(self._waiting), self._size + _size(waiting)
        if key in self._waiting:
            count, size = count - 1, size - _size(self._waiting[key][1])
        if (count >= EVENTS_LIMIT or size > EVENTS_BYTES_LIMIT) and not isinstance(
            waiting, RouterLost
        ):
            raise FullError("more agents came and went than can wait for PostgreSQL")
        self._waiting.pop(key, None)  # the newest is the last
        self._waiting[key] = term, waiting
        self._standing.hear(waiting)
        self._size = size
        self._emptied.clear()
        self._filled.set()

    def is_verified(self, agent_uuid: str) -> bool | None:
        """Whether it is who it says, as was heard last; None: PostgreSQL has all that was heard."""
        if agent_uuid in self._standing:
            return True
        is_told = ("left", agent_uuid) in self._waiting or ("refused", agent_uuid) in self._waiting
        return False if is_told else None

    async def flush(self) -> None:
        """Wait until nothing waits."""
        await self._emptied.wait()

    async def handle(self) -> None:
        """Note who came and went for ever; it waits while PostgreSQL is away."""
        while True:
            await self._filled.wait()
            key, waiting = next(iter(self._waiting.items()))
            done = await _try(self._handle(*waiting), "what the router said of agents")
            if done and self._waiting[key] is waiting:
                del self._waiting[key]
                self._size -= _size(waiting[1])
            if not self._waiting:
                self._filled.clear()
                self._emptied.set()

    async def _handle(self, term: UUID, waiting: Waiting) -> None:
        match waiting:
            case Registration():
                if not await self._registry.register(term, waiting):
                    self._standing.hear(Refusal(waiting.agent_id))
            case Refusal(agent_id):
                await self._registry.doubt(term, agent_id)
            case AgentUnregistered(agent_uuid):
                await self._registry.unregister(term, UUID(agent_uuid))
            case AgentsSeen():
                await self._registry.update_presence(term, waiting)
            case RouterLost():
                await self._registry.forget_all(term)


async def _try(work: Coroutine[None, None, None], what: str, entries: int = 0) -> bool:
    """Whether it is done, for good or ill; False: PostgreSQL is away, it has to wait."""
    try:
        await work
    except DatabaseAwayError as error:
        logger.warning("%s waits: %s", what, error)
        await asyncio.sleep(RETRY_SECONDS)
        return False
    except Exception:
        logger.exception("%s was dropped", what)
        metrics.LOG_ENTRIES_DROPPED.inc(entries)
    return True


def _is_agent(gone: AgentUnregistered) -> bool:
    """Most that is gone is no agent: lanes, calls between agents."""
    return read_identity(gone.agent_uuid) is not None


def _key(waiting: Waiting) -> object:
    match waiting:
        case Registration(agent_id=agent_id):
            return "came", str(agent_id)
        case Refusal(agent_id):
            return "refused", str(agent_id)
        case AgentUnregistered(agent_uuid):
            return "left", agent_uuid
    return waiting


def _size(waiting: Waiting) -> int:
    return waiting.size if isinstance(waiting, Registration) else 0
