"""Whom a gateway tells that a request waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast
from uuid import UUID, uuid4

import pytest

from gateway.requests.bridges import Bridges
from shared.notifications.bus import Listener, Notifications
from shared.notifications.channels import WAITING_REQUESTS, bridges_channel, requests_channel
from shared.notifications.formats import Heartbeat, encode_heartbeat, encode_waiting
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.system import make_secrets

SETTINGS = read_settings(make_secrets(), Settings)
A, B = UUID(int=1), UUID(int=2)
USERS = [UUID(int=number) for number in range(100)]


class Heard:
    """Notifications that reach nobody, and one listener."""

    def __init__(self) -> None:
        self.listener = Listener()
        self.told: list[tuple[str, bytes]] = []

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[Listener]:
        assert channel == bridges_channel(SETTINGS)
        yield self.listener

    def publish(self, channel: str, message: bytes) -> None:
        self.told.append((channel, message))

    async def hear(self, *messages: bytes | None) -> None:
        """Have what is said heard, and handled."""
        for message in messages:
            self.listener.put(message)
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def bridges(heard: Heard) -> AsyncIterator[Bridges]:
    bridges = Bridges(SETTINGS, cast("Notifications", heard))
    listening = asyncio.create_task(bridges.listen())
    yield bridges
    assert not listening.done()
    listening.cancel()


async def test_installations_that_share_a_redis_do_not_hear_each_other() -> None:
    other = read_settings(make_secrets(), Settings)
    assert bridges_channel(SETTINGS) != bridges_channel(other)
    assert SETTINGS.secret_key not in bridges_channel(SETTINGS)


def channels(bridges: Bridges, heard: Heard) -> list[str]:
    """Where each user's request is told."""
    heard.told.clear()
    for user in USERS:
        bridges.notify(user, uuid4())
    return [channel for channel, _ in heard.told]


async def test_as_long_as_no_bridge_is_known_all_are_told(bridges: Bridges, heard: Heard) -> None:
    request_id = uuid4()
    bridges.notify(A, request_id)
    assert heard.told == [(WAITING_REQUESTS, encode_waiting(request_id))]


async def test_the_only_bridge_is_told(bridges: Bridges, heard: Heard) -> None:
    await heard.hear(None, encode_heartbeat(Heartbeat(A)))
    assert set(channels(bridges, heard)) == {requests_channel(A)}


async def test_a_user_always_has_the_same_bridge_and_each_has_its_users(
    bridges: Bridges, heard: Heard
) -> None:
    await heard.hear(encode_heartbeat(Heartbeat(A)), encode_heartbeat(Heartbeat(B)))
    before = channels(bridges, heard)
    await heard.hear(encode_heartbeat(Heartbeat(B)), encode_heartbeat(Heartbeat(A)))
    assert channels(bridges, heard) == before
    assert before.count(requests_channel(A)) == before.count(requests_channel(B)) == 50


async def test_a_bridge_that_leaves_is_told_no_more(bridges: Bridges, heard: Heard) -> None:
    await heard.hear(encode_heartbeat(Heartbeat(A)), encode_heartbeat(Heartbeat(B)))
    await heard.hear(encode_heartbeat(Heartbeat(A, is_leaving=True)))
    assert set(channels(bridges, heard)) == {requests_channel(B)}
    await heard.hear(
        encode_heartbeat(Heartbeat(B, is_leaving=True)),
        encode_heartbeat(Heartbeat(B, is_leaving=True)),
    )
    assert set(channels(bridges, heard)) == {WAITING_REQUESTS}


async def test_a_bridge_that_falls_silent_is_told_no_more(
    bridges: Bridges, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("gateway.requests.bridges.monotonic", lambda: now)
    await heard.hear(encode_heartbeat(Heartbeat(A)), encode_heartbeat(Heartbeat(B)))
    now += 2
    await heard.hear(encode_heartbeat(Heartbeat(B)))
    now += 1
    assert set(channels(bridges, heard)) == {requests_channel(B)}
