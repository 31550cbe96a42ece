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
class Numbered:
    """An entry, numbered as it came."""

    number: int
    entry: AgentLogged
    characters: int


@define(eq=False)
class _Queue:
    """What one agent has waiting, and what is left of its share."""

    share: float  # entries
    refilled: float
    entries: deque[Numbered] = field(factory=deque)
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


class Pending:
    """Which entries are not stored yet, by the request that they are about."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[int, None]] = {}  # in their order

    def add(self, waiting: Numbered) -> None:
        """One has come."""
        self._numbers.setdefault(waiting.entry.request_id, {})[waiting.number] = None

    def finish(self, *done: Numbered) -> None:
        """These are stored, or lost."""
        for waiting in done:
            numbers = self._numbers[waiting.entry.request_id]
            del numbers[waiting.number]
            if not numbers:
                del self._numbers[waiting.entry.request_id]

    def are_stored(self, request_ids: tuple[str, ...] | None, before: int) -> bool:
        """Whether none of these requests' entries from before this number is left; None: of any."""
        ids = tuple(self._numbers) if request_ids is None else request_ids
        firsts = (next(iter(self._numbers[id_])) for id_ in ids if id_ in self._numbers)
        return all(first > before for first in firsts)


class Losses:
    """Who is to be told that entries of his were lost."""

    def __init__(self) -> None:
        self._losing: set[_Queue] = set()

    def __len__(self) -> int:
        """How many are."""
        return len(self._losing)

    def add(self, queue: _Queue, entry: AgentLogged) -> None:
        """An entry was lost."""
        queue.lost += 1
        queue.last_lost = entry
        self._losing.add(queue)
        metrics.LOG_ENTRIES_DROPPED.inc()

    def take(self) -> Iterator[tuple[_Queue, AgentLogged]]:
        """What to tell, of each not more often than once in LOSS_SECONDS."""
        now = monotonic()
        for queue in [each for each in self._losing if now - each.told >= LOSS_SECONDS]:
            assert queue.last_lost is not None
            text = LOSS.format(queue.lost)
            queue.lost, queue.told = 0, now
            self._losing.discard(queue)
            yield queue, attrs.evolve(queue.last_lost, log_level="warning", message=text)


class Entries:
    """Bounded for each agent and in all: when that is full, whoever has most waiting loses."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second  # of an agent; 0 = any number
        self._numbers = count(1)
        self._queues: dict[str, _Queue] = {}
        self._turns: deque[_Queue] = deque()
        self._waiting = 0
        self._characters = 0
        self.pending = Pending()
        self.losses = Losses()

    def __len__(self) -> int:
        """How many wait, and were not taken."""
        return self._waiting

    def next_number(self) -> int:
        """A number between those of the entries before and after."""
        return next(self._numbers)

    def put(self, entry: AgentLogged) -> bool:
        """Add an entry; False: it is lost."""
        queue, characters = self._queue_of(entry), _characters(entry)
        has_room = self._has_room(queue, entry, characters)
        if has_room:
            self._add(queue, entry, characters)
        else:
            self.losses.add(queue, entry)
        return has_room

    def take(self, most: int, characters: int) -> list[Numbered]:
        """Entries of all agents in turn, in the order in which they came; those one may exceed.

        They are pending until that is told that they are finished.
        """
        taken: list[Numbered] = []
        while self._turns and len(taken) < most and characters > 0:
            queue = self._turns.popleft()
            taken.append(self._remove(queue, queue.entries.popleft()))
            characters -= taken[-1].characters
            if queue.entries:
                self._turns.append(queue)
        return sorted(taken, key=lambda waiting: waiting.number)

    def tell_losses(self) -> Iterator[AgentLogged]:
        """Put an entry for each agent that has lost some, not too often, and return those."""
        for queue, told in self.losses.take():
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
            lost = self._remove(largest, largest.entries.pop())
            if not largest.entries:
                self._turns.remove(largest)
            self.pending.finish(lost)
            self.losses.add(largest, lost.entry)
        return True

    def _add(self, queue: _Queue, entry: AgentLogged, characters: int) -> None:
        waiting = Numbered(self.next_number(), entry, characters)
        if not queue.entries:
            self._turns.append(queue)
        queue.entries.append(waiting)
        queue.characters += characters
        self._waiting += 1
        self._characters += characters
        self.pending.add(waiting)

    def _remove(self, queue: _Queue, waiting: Numbered) -> Numbered:
        queue.characters -= waiting.characters
        self._waiting -= 1
        self._characters -= waiting.characters
        return waiting


def _characters(entry: AgentLogged) -> int:
    ids = len(entry.agent_uuid) + len(entry.session_id) + len(entry.request_id)
    return ids + len(entry.log_level) + len(entry.message)
