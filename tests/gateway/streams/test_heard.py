"""Listening to a session before its request is stored."""

import asyncio
from uuid import UUID, uuid4

import pytest

from gateway.streams.heard import CONFIRM_SECONDS, Heard
from shared.notifications.bus import Notifications
from shared.redis.servers import create_redis
from tests.system import System

CHANNELS = "session", "parts"
REQUEST = uuid4()


@pytest.fixture
def notifications(system: System) -> Notifications:
    """Whose loops don't run: what comes is what a test puts there."""
    return Notifications(create_redis(system.settings))


def tell(notifications: Notifications, message: bytes | None, channel: str = CHANNELS[0]) -> None:
    for listener in notifications._listeners[channel]:
        listener.put(message)


async def heard(notifications: Notifications, *told: bytes | None) -> list[bytes | None]:
    """What is left to be heard of a request, if this came before it was stored."""
    places = Heard(notifications)
    async with places.hear(REQUEST, *CHANNELS):
        for message in told:
            tell(notifications, message)
        places.has_begun(REQUEST)
        async with places.listen(REQUEST, *CHANNELS) as listener:
            return listener.clear()


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ([], []),
        ([None], []),
        ([None, b"log"], [None, b"log"]),
        ([b"log"], [b"log"]),
        ([b"log", None], [b"log", None]),
    ],
)
async def test_a_gap_before_a_request_is_none_if_nothing_else_has_come(
    notifications: Notifications, told: list[bytes | None], left: list[bytes | None]
) -> None:
    assert await heard(notifications, *told) == left


async def test_what_is_missed_later_is_a_gap(notifications: Notifications) -> None:
    places = Heard(notifications)
    async with places.hear(REQUEST, *CHANNELS):
        places.has_begun(REQUEST)
        tell(notifications, None)
        async with places.listen(REQUEST, *CHANNELS) as listener:
            assert listener.clear() == [None]


@pytest.mark.parametrize("asked", [None, uuid4(), REQUEST])
async def test_each_other_one_who_follows_listens_for_himself(
    notifications: Notifications, asked: UUID | None
) -> None:
    places = Heard(notifications)
    async with (
        places.hear(REQUEST, *CHANNELS),
        places.listen(REQUEST, *CHANNELS) as first,
        places.listen(asked, *CHANNELS) as second,
    ):
        assert second is not first
    assert not notifications._listeners


async def test_who_asks_in_vain_leaves_nothing(notifications: Notifications) -> None:
    places = Heard(notifications)
    with pytest.raises(ZeroDivisionError):
        async with places.hear(REQUEST, *CHANNELS):
            raise ZeroDivisionError
    assert not notifications._listeners
    assert not places._listeners


async def test_a_request_is_not_stored_before_it_can_be_heard_of(
    notifications: Notifications,
) -> None:
    places = Heard(notifications)
    async with places.hear(REQUEST, *CHANNELS):
        waiting = asyncio.create_task(places.until_heard(REQUEST))
        await asyncio.sleep(0)
        assert not waiting.done()
        tell(notifications, b"of another request")
        tell(notifications, None)
        await waiting
        async with places.listen(REQUEST, *CHANNELS) as listener:
            assert listener.is_empty


async def test_nobody_waits_long_for_a_server_that_is_away(notifications: Notifications) -> None:
    places = Heard(notifications)
    async with places.hear(REQUEST, *CHANNELS), asyncio.timeout(10 * CONFIRM_SECONDS):
        await places.until_heard(REQUEST)


async def test_who_does_not_listen_waits_for_nothing(notifications: Notifications) -> None:
    await asyncio.wait_for(Heard(notifications).until_heard(REQUEST), CONFIRM_SECONDS / 2)
