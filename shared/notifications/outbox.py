"""What is on its way to Redis: published in the order in which it was given, or lost."""

import asyncio
import logging
from collections import deque
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

LIMIT = 10_000  # messages; what Redis did not take by then is too old
BATCH = 500
FLUSH_SECONDS = 1.0


class Outbox:
    """The one writer of a process."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._waiting: deque[tuple[str, bytes]] = deque(maxlen=LIMIT)
        self._filled = asyncio.Event()
        self._written = asyncio.Event()  # whether nothing waits or is on its way
        self._written.set()

    def publish(self, channel: str, message: bytes) -> None:
        """Tell whoever listens now; returns at once and promises nothing."""
        self._waiting.append((channel, message))
        self._written.clear()
        self._filled.set()

    async def flush(self) -> None:
        """Wait until what was given is published, but not long: it may be lost."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._written.wait()

    async def write(self) -> None:
        """Publish what was given, all of one turn of the loop in one pipeline."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                try:
                    await self._publish_all(batch)
                except (RedisError, OSError) as error:
                    logger.warning("%d notifications were not published: %s", len(batch), error)
            self._written.set()

    async def _publish_all(self, batch: list[tuple[str, bytes]]) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for channel, message in batch:
                pipeline.publish(channel, message)
            await pipeline.execute()
