"""Log entries that wait for PostgreSQL: a queue for each agent, emptied in turn.

Who logs more than his share loses entries of his own, and is told how many. What the master agent
logs counts for the session that it works for.
"""

from collections import deque
from collections.abc import Iterator
from itertools import count
from time import monotonic

import attrs
from attrs import define, field, frozen

from agent_bridge import metrics
from agent_bridge.router.frames import MASTER_SERVER_ML, AgentLogged

ENTRIES_LIMIT = 10_000
CHARACTERS_LIMIT = 16 * 1024 * 1024  # of all entries; of up to four bytes each
AGENT_ENTRIES_LIMIT = 2_000
AGENT_CHARACTERS_LIMIT = 4 * 1024 * 1024
ENTRY_CHARACTERS = 1024  # a longer entry counts for as many as it is times as long
BURST_SECONDS = 10  # in which an agent may have logged its share at once
LOSS_SECONDS = 1.0  # between two entries that tell how many were lost
AGENTS_LIMIT = 10_000  # whose share is remembered

LOSS = "{} log entries were left out here: this agent logs more, or faster, than is stored."


@frozen
class Waiting:
    """An entry, numbered as it came."""

    number: int
    entry: AgentLogged
    characters: int


@define(eq=False)
class _Queue:
    """What one agent has waiting, and what is left of its share."""

    share: float  # entries
    refilled: float
    entries: deque[Waiting] = field(factory=deque)
    characters: int = 0
    lost: int = 0
    last_lost: AgentLogged | None = None
    told: float = 0.0

    def spend(self, characters: int, per_second: int) -> bool:
        """Whether an entry of this length is within the agent's share."""
        now, most = monotonic(), per_second * BURST_SECONDS
        self.share = min(most, self.share + (now - self.refilled) * per_second)
        self.refilled = now
        cost = max(1.0, characters / ENTRY_CHARACTERS)
        if self.share < cost:
            return False
        self.share -= cost
        return True

    def has_room(self, characters: int) -> bool:
        """Whether one more may wait."""
        return (
            len(self.entries) < AGENT_ENTRIES_LIMIT
            and self.characters + characters <= AGENT_CHARACTERS_LIMIT
        )


class Entries:
    """Bounded for each agent and in all: when that is full, whoever has most waiting loses."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second  # of an agent; 0 = any number
        self._numbers = count(1)
        self._queues: dict[str, _Queue] = {}
        self._turns: deque[_Queue] = deque()
        self._losing: set[_Queue] = set()
        self._pending: dict[str, dict[int, None]] = {}  # numbers in their order, by request
        self._waiting = 0
        self._characters = 0

    def __len__(self) -> int:
        """How many wait, and were not taken."""
        return self._waiting

    @property
    def has_losses(self) -> bool:
        """Whether somebody is to be told that entries were lost."""
        return bool(self._losing)

    def next_number(self) -> int:
        """A number between those of the entries before and after."""
        return next(self._numbers)

    def put(self, entry: AgentLogged) -> None:
        """Add an entry, or lose it."""
        queue, characters = self._queue_of(entry), _characters(entry)
        if self._has_room(queue, entry, characters):
            self._add(queue, entry, characters)
        else:
            self._lose(queue, entry)

    def take(self, most: int) -> list[Waiting]:
        """Entries of all agents in turn, in the order in which they came; done when `finish`ed."""
        taken: list[Waiting] = []
        while self._turns and len(taken) < most:
            queue = self._turns.popleft()
            waiting = queue.entries.popleft()
            queue.characters -= waiting.characters
            self._forget(waiting)
            taken.append(waiting)
            if queue.entries:
                self._turns.append(queue)
        return sorted(taken, key=lambda waiting: waiting.number)

    def finish(self, taken: list[Waiting]) -> None:
        """These are stored, or dropped."""
        for waiting in taken:
            self._settle(waiting)

    def are_stored(self, request_ids: tuple[str, ...] | None, before: int) -> bool:
        """Whether none of these requests' entries from before this number is left; None: of any."""
        ids = tuple(self._pending) if request_ids is None else request_ids
        firsts = (next(iter(self._pending[id_])) for id_ in ids if id_ in self._pending)
        return all(first > before for first in firsts)

    def tell_losses(self) -> Iterator[AgentLogged]:
        """Put an entry for each agent that has lost some, not too often, and return those."""
        now = monotonic()
        for queue in [each for each in self._losing if now - each.told >= LOSS_SECONDS]:
            assert queue.last_lost is not None
            text = LOSS.format(queue.lost)
            told = attrs.evolve(queue.last_lost, log_level="warning", message=text)
            queue.lost, queue.told = 0, now
            self._losing.discard(queue)
            self._add(queue, told, _characters(told))
            yield told

    def _queue_of(self, entry: AgentLogged) -> _Queue:
        is_master = entry.agent_uuid == MASTER_SERVER_ML
        source = entry.session_id if is_master else entry.agent_uuid
        if (queue := self._queues.get(source)) is None:
            if len(self._queues) >= AGENTS_LIMIT:
                self._forget_idle()
            queue = self._queues[source] = _Queue(self._per_second * BURST_SECONDS, monotonic())
        return queue

    def _forget_idle(self) -> None:
        self._queues = {
            source: queue for source, queue in self._queues.items() if queue.entries or queue.lost
        }

    def _has_room(self, queue: _Queue, entry: AgentLogged, characters: int) -> bool:
        if self._per_second and not queue.spend(len(entry.message), self._per_second):
            return False
        return queue.has_room(characters) and self._make_room(queue, characters)

    def _make_room(self, queue: _Queue, characters: int) -> bool:
        """Take entries from whoever has most waiting; False: that is this agent itself."""
        while self._waiting >= ENTRIES_LIMIT or self._characters + characters > CHARACTERS_LIMIT:
            largest = max(self._turns, key=lambda one: one.characters)
            if largest is queue or not largest.entries:
                return False
            lost = largest.entries.pop()
            largest.characters -= lost.characters
            if not largest.entries:
                self._turns.remove(largest)
            self._forget(lost)
            self._settle(lost)
            self._lose(largest, lost.entry)
        return True

    def _add(self, queue: _Queue, entry: AgentLogged, characters: int) -> None:
        waiting = Waiting(self.next_number(), entry, characters)
        if not queue.entries:
            self._turns.append(queue)
        queue.entries.append(waiting)
        queue.characters += characters
        self._pending.setdefault(entry.request_id, {})[waiting.number] = None
        self._waiting += 1
        self._characters += characters

    def _lose(self, queue: _Queue, entry: AgentLogged) -> None:
        queue.lost += 1
        queue.last_lost = entry
        self._losing.add(queue)
        metrics.LOG_ENTRIES_DROPPED.inc()

    def _forget(self, waiting: Waiting) -> None:
        self._waiting -= 1
        self._characters -= waiting.characters

    def _settle(self, waiting: Waiting) -> None:
        pending = self._pending[waiting.entry.request_id]
        del pending[waiting.number]
        if not pending:
            del self._pending[waiting.entry.request_id]


def _characters(entry: AgentLogged) -> int:
    ids = len(entry.agent_uuid) + len(entry.session_id) + len(entry.request_id)
    return ids + len(entry.log_level) + len(entry.message)
