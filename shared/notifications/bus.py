"""Redis pub/sub: what happens is told at once. That may be lost: PostgreSQL holds it."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from itertools import batched
from time import monotonic
from typing import Any
from uuid import uuid4

from attrs import define, field, frozen
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from shared.redis.faults import tell
from shared.redis.servers import RedisServer, Subscriber
from shared.telemetry.metrics import (
    NOTIFICATIONS_DROPPED,
    NOTIFICATIONS_LAG,
    NOTIFICATIONS_UP,
)

logger = logging.getLogger(__name__)

LISTENER_LIMIT = 1000  # messages; a listener further behind reads PostgreSQL instead
LISTENER_BYTES = 1024 * 1024
OUTBOX_LIMIT = 10_000  # messages; what Redis did not take by then is too old
OUTBOX_BYTES_LIMIT = 16 * 1024 * 1024
BATCH_LIMIT = 500  # messages in a pipeline, which is copied as it is written
BATCH_BYTES_LIMIT = 1024 * 1024  # or a single message
DROPPED_SECONDS = 1.0  # between two lines that tell how many were dropped
PORTION = 200  # channels, or messages, in one turn of the loop
WAKE = b""
RECONCILE_SECONDS = 1.0
RETRY_SECONDS = (0.1, 1.0)
FLUSH_SECONDS = 1.0
HEAR_SECONDS = 0.8
SILENT_SECONDS = 4.0  # in which not even the canary is heard: then another connection is tried

type Message = bytes | None
"""What was published, or None: something may have been missed here."""


@define(eq=False)
class Listener:
    """A bounded queue of messages; one that overflows becomes a single gap."""

    _queue: list[Message] = field(factory=list, init=False)  # a tenth of what a deque takes
    _bytes: int = field(default=0, init=False)
    _waiting: asyncio.Future[None] | None = field(default=None, init=False)
    _told: Callable[[], object] | None = field(default=None, init=False)

    def tell(self, told: Callable[[], object] | None) -> None:
        """Have it, or nothing, called whenever something has come: nobody has to wait then."""
        self._told = told
        if self._queue and told is not None:
            told()

    def put(self, message: Message) -> None:
        """Add a message, in the order of publishing; a gap after a gap is the same one."""
        if message is None and self._queue and self._queue[-1] is None:
            return
        size = len(message or b"")
        if len(self._queue) >= LISTENER_LIMIT or self._bytes + size > LISTENER_BYTES:
            self.clear()
            message, size = None, 0
        self._queue.append(message)
        self._bytes += size
        if self._told is not None:
            self._told()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    @property
    def is_empty(self) -> bool:
        """Whether all was taken."""
        return not self._queue

    def forget_gap(self) -> None:
        """Nothing that matters was missed: a gap is none, if it is all that has come."""
        if self._queue == [None]:
            self.clear()

    def clear(self) -> list[Message]:
        """Take all that was not yet taken."""
        taken, self._queue, self._bytes = self._queue, [], 0
        return taken

    async def get(self) -> Message:
        """The oldest message not yet taken; one task may wait for it."""
        while not self._queue:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        message = self._queue.pop(0)
        self._bytes -= len(message or b"")
        return message

    async def get_all(self, seconds: float) -> list[Message]:
        """All that was not yet taken, once there is something; nothing where none comes in time."""
        try:
            async with asyncio.timeout(seconds):
                first = await self.get()
        except TimeoutError:
            return []
        return [first, *self.clear()]


class SilentError(RedisConnectionError):
    """A connection on which not even what this process says itself is heard."""


class Outbox:
    """What is on its way to Redis: published in its order, or lost. The one writer of a process."""

    def __init__(self, redis: RedisServer) -> None:
        self._redis = redis
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._bytes = 0
        self._dropped = 0  # since that was told
        self._told = 0.0
        self._filled = asyncio.Event()
        self._written = asyncio.Event()  # whether nothing waits or is on its way
        self._written.set()

    def publish(self, channel: str, message: bytes) -> None:
        """Tell whoever listens now; returns at once and promises nothing."""
        self._waiting.append((channel, message))
        self._bytes += len(message)
        while len(self._waiting) > OUTBOX_LIMIT or self._bytes > OUTBOX_BYTES_LIMIT:
            self._take()
            self._count_dropped()
        self._written.clear()
        self._filled.set()

    def _take(self) -> tuple[str, bytes]:
        oldest = self._waiting.popleft()
        self._bytes -= len(oldest[1])
        return oldest

    def _count_dropped(self) -> None:
        NOTIFICATIONS_DROPPED.inc()
        self._dropped += 1
        if monotonic() - self._told >= DROPPED_SECONDS:
            logger.warning("%d notifications waited too long and were dropped", self._dropped)
            self._dropped, self._told = 0, monotonic()

    async def flush(self) -> None:
        """Wait until what was given is published, but not long: it may be lost."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._written.wait()

    async def write(self) -> None:
        """Publish what was given: what one turn of the loop made in few pipelines, or one."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while batch := self._next_batch():
                try:
                    await self._redis.publish(batch)
                except (RedisError, OSError) as error:
                    what = f"{len(batch)} notifications were not published"
                    logger.warning("%s", tell(error, what))
            self._written.set()

    def _next_batch(self) -> list[tuple[str, bytes]]:
        batch: list[tuple[str, bytes]] = []
        room = BATCH_BYTES_LIMIT
        while self._waiting and len(batch) < BATCH_LIMIT:
            room -= len(self._waiting[0][1])
            if batch and room < 0:
                break
            batch.append(self._take())
        return batch


class Notifications:
    """One reader and one writer for the whole process; both run as its background loops."""

    def __init__(self, redis: RedisServer) -> None:
        self._redis = redis
        self.outbox = Outbox(redis)
        self._canary = f"genai:canary:{uuid4()}"  # keeps the reader subscribed to something
        self._listeners: dict[str, set[Listener]] = {}
        self._changed: set[str] = set()  # channels that may be wanted, or not, since the last look
        self._is_woken = False  # whether a look is on its way
        self._asked: set[str] = set()
        self._confirmed: set[str] = set()
        self._heard = asyncio.Event()
        NOTIFICATIONS_UP.set_function(lambda: self._canary in self._confirmed)

    def publish(self, channel: str, message: bytes) -> None:
        """Tell whoever listens now; returns at once and promises nothing."""
        self.outbox.publish(channel, message)

    def subscribe(self, *channels: str) -> AbstractAsyncContextManager[Listener]:
        """Listen to channels. A gap comes first, when the server has confirmed each."""
        return _Subscription(self, channels)

    def add(self, channel: str, listener: Listener) -> None:
        """Have it listen to a channel, too."""
        self._listeners.setdefault(channel, set()).add(listener)
        if channel in self._confirmed:
            listener.put(None)
        else:
            self._changed.add(channel)
            if not self._is_woken:
                self._is_woken = True
                self.publish(self._canary, WAKE)  # no other task may touch the reader's socket

    def remove(self, channel: str, listener: Listener) -> None:
        """Have it listen to a channel no longer."""
        listeners = self._listeners[channel]
        listeners.discard(listener)
        if not listeners:
            del self._listeners[channel]
            self._changed.add(channel)

    async def is_up(self) -> bool:
        """Whether what is published here is heard here soon. One caller at a time."""
        self._heard.clear()
        self.publish(self._canary, WAKE)
        try:
            async with asyncio.timeout(HEAR_SECONDS):
                return await self._heard.wait()
        except TimeoutError:
            return False

    async def read(self) -> None:
        """Hand messages to their listeners; connect again, for ever, when Redis goes away."""
        while True:
            try:
                await self._read_one_connection()
            except (RedisError, OSError) as error:
                logger.warning("%s", tell(error, "notifications are late"))
            self._confirmed = set()
            await asyncio.sleep(random.uniform(*RETRY_SECONDS))  # noqa: S311

    async def _read_one_connection(self) -> None:
        self._asked = set()
        self._confirmed = set()
        self._changed = {self._canary, *self._listeners}
        async with self._redis.subscriber() as subscriber:
            checked, unheard, heard = 0.0, 0, 0
            while True:
                if monotonic() - checked >= RECONCILE_SECONDS:
                    if unheard * RECONCILE_SECONDS >= SILENT_SECONDS:
                        raise SilentError(f"nothing was heard for {SILENT_SECONDS:g} seconds")
                    await self._reconcile(subscriber)
                    checked, unheard = monotonic(), unheard + 1
                    self.publish(self._canary, str(checked).encode())
                message = await subscriber.get_message(timeout=RECONCILE_SECONDS)
                if message is None:
                    continue
                heard += 1
                if heard % PORTION == 0:  # what has come by now is given without a pause
                    await asyncio.sleep(0)
                if message["channel"].decode() != self._canary:
                    self._hand_out(message)
                    continue
                unheard = 0
                if message["type"] == "message" and message["data"] != WAKE:
                    NOTIFICATIONS_LAG.observe(monotonic() - float(message["data"]))
                else:
                    checked = 0.0
                    self._hand_out(message)

    async def _reconcile(self, subscriber: Subscriber) -> None:
        """Subscribe to what is wanted and no longer to what is not."""
        changed, self._changed, self._is_woken = self._changed, set(), False
        wanted = {each for each in changed if each in self._listeners or each == self._canary}
        for missing in batched(wanted - self._asked, PORTION):
            self._asked.update(missing)
            await subscriber.subscribe(*missing)
            await asyncio.sleep(0)
        for some in batched((changed - wanted) & self._asked, PORTION):
            stale = {each for each in some if each not in self._listeners}  # wanted again by now
            self._asked.difference_update(stale)
            self._confirmed.difference_update(stale)
            if stale:
                await subscriber.unsubscribe(*stale)
            await asyncio.sleep(0)

    def _hand_out(self, message: dict[str, Any]) -> None:
        channel = message["channel"].decode()
        if channel == self._canary and message["type"] == "message":
            self._heard.set()
        listeners = self._listeners.get(channel, set())
        match message["type"]:
            case "message":
                for listener in listeners:
                    listener.put(message["data"])
            case "subscribe" if channel in self._asked:
                # A broken connection raises nothing: it shows as one more confirmation.
                self._confirmed.add(channel)
                for listener in listeners:
                    listener.put(None)


@frozen
class _Subscription(AbstractAsyncContextManager[Listener]):
    """What each socket has one of: a generator would be five times as large."""

    _notifications: Notifications
    _channels: Sequence[str]
    _listener: Listener = field(factory=Listener, init=False)

    async def __aenter__(self) -> Listener:
        for channel in self._channels:
            self._notifications.add(channel, self._listener)
        return self._listener

    async def __aexit__(self, *_: object) -> None:
        for channel in self._channels:
            self._notifications.remove(channel, self._listener)
