"""Processes, as it were, that talk over Redis: one says something until another hears it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from time import monotonic

from gateway.accounts.attempts import Attempts, Bound
from shared.notifications.bus import Listener, Notifications
from shared.process.background import background
from shared.redis.servers import create_redis
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.system import make_secrets
from tests.users import eventually


def settings_of(url: str) -> Settings:
    """Those of services whose Redis is there."""
    return read_settings({**make_secrets(), "REDIS_URL": url}, Settings)


@asynccontextmanager
async def run_notifications(settings: Settings) -> AsyncIterator[Notifications]:
    """The loops of a process."""
    async with create_redis(settings) as redis:
        notifications = Notifications(redis)
        async with background(read=notifications.read(), write=notifications.outbox.write()):
            yield notifications


@asynccontextmanager
async def run_pair(settings: Settings) -> AsyncIterator[tuple[Notifications, Listener]]:
    """Two processes, as it were: who speaks, and who listens to it in the other one."""
    async with (
        run_notifications(settings) as speaker,
        run_notifications(settings) as other,
        other.subscribe("genai:test") as listener,
    ):
        yield speaker, listener


async def seconds_until_heard(speaker: Notifications, listener: Listener) -> float:
    """Of what is said from now on."""
    began = monotonic()
    listener.clear()
    async with asyncio.timeout(30):
        for number in count():
            speaker.publish("genai:test", b"%d" % number)
            if any(message is not None for message in await listener.get_all(0.05)):
                break
    return monotonic() - began


async def count_again(attempts: Attempts) -> None:
    """Until an attempt is counted there, and not here."""
    bound = Bound(attempts.name("again"), 1000)

    async def holds() -> bool:
        attempts._away_until = 0.0
        await attempts.take([bound])
        return not attempts._away_until

    await eventually(holds, "Redis counts", 20)
