"""Whom a gateway hears when it asks all how they are."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import monotonic
from typing import Any, cast
from uuid import UUID, uuid4

import attrs
import pytest

from gateway.parts import rounds as module
from gateway.parts.rounds import ANSWER_SECONDS, Rounds
from gateway.requests.bridges import Bridges
from shared.notifications import telling as telling_module
from shared.notifications.bus import Listener, Notifications
from shared.notifications.channels import processes_channel, told_channel
from shared.notifications.formats import Heartbeat, Told, decode_look, encode_heartbeat, encode_told
from shared.notifications.telling import Telling
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from shared.telemetry.snapshots import Process, Self
from tests.system import make_secrets

SETTINGS = read_settings(make_secrets(), Settings)
OWN, OTHER, THIRD = (UUID(int=number) for number in (1, 2, 3))


def process(id_: UUID, **others: Any) -> Process:
    now = datetime.now(UTC)
    whole = Process(id_, "gateway", "1", "3", "host", 1, "a:1", now, now, False, {}, {}, {})
    return attrs.evolve(whole, **others)


@attrs.define
class This:
    """A process that counts how often it is looked at."""

    id: UUID
    read: int = 0

    def tell(self) -> Process:
        self.read += 1
        return process(self.id)


class Redis:
    """Tells at once whoever listens; those who are to answer do."""

    def __init__(self) -> None:
        self.listeners: dict[str, list[Listener]] = {}
        self.answering: dict[UUID, Process] = {}
        self.is_away = False
        self.looks = 0

    @asynccontextmanager
    async def subscribe(self, *channels: str) -> AsyncIterator[Listener]:
        listener = Listener()
        for channel in channels:
            self.listeners.setdefault(channel, []).append(listener)
        yield listener

    def publish(self, channel: str, message: bytes) -> None:
        if self.is_away:
            return
        for listener in self.listeners.get(channel, []):
            listener.put(message)
        if channel == processes_channel(SETTINGS) and (look := decode_look(message)):
            self.looks += 1
            for each in self.answering.values():
                self.publish(told_channel(look.gateway_id), encode_told(Told(look.id, each)))


@attrs.define
class Asker:
    redis: Redis
    rounds: Rounds
    this: This

    async def ids(self) -> tuple[set[UUID], set[UUID]]:
        """Who answers, and who is silent."""
        answers = await self.rounds.ask()
        return {each.id for each in answers.processes}, {each.id for each in answers.silent}


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    redis, this = Redis(), This(OWN)
    notifications = cast("Notifications", redis)
    telling = Telling(SETTINGS, notifications, cast("Self", this))
    bridges = Bridges(SETTINGS, notifications)
    rounds = Rounds(SETTINGS, notifications, telling, bridges)
    loops = [telling.run(), rounds.listen(), bridges.listen()]
    tasks = [asyncio.create_task(loop) for loop in loops]
    await asyncio.sleep(0)
    yield Asker(redis, rounds, this)
    assert not [task for task in tasks if task.done()]
    for task in tasks:
        task.cancel()


async def seconds_of(work: Callable[[], Any]) -> float:
    began = monotonic()
    await work()
    return monotonic() - began


async def test_who_answers_is_told_and_nobody_is_waited_for(asker: Asker) -> None:
    asker.redis.answering = {OTHER: process(OTHER)}
    assert await asker.ids() == ({OWN, OTHER}, set())
    assert await seconds_of(asker.ids) < ANSWER_SECONDS


async def test_who_answers_no_more_is_waited_for_once_and_then_told_as_silent(
    asker: Asker,
) -> None:
    asker.redis.answering = {OTHER: process(OTHER)}
    await asker.ids()
    asker.redis.answering = {}
    began = monotonic()
    assert await asker.ids() == ({OWN}, {OTHER})
    assert monotonic() - began >= ANSWER_SECONDS
    began = monotonic()
    assert await asker.ids() == ({OWN}, {OTHER})
    assert monotonic() - began < ANSWER_SECONDS


async def test_who_is_silent_for_long_is_forgotten(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker.redis.answering = {OTHER: process(OTHER)}
    await asker.ids()
    asker.redis.answering = {}
    monkeypatch.setattr(module, "REMEMBERED_SECONDS", 0.0)
    assert await asker.ids() == ({OWN}, set())


async def test_who_said_that_it_goes_is_not_missed(asker: Asker) -> None:
    asker.redis.answering = {OTHER: process(OTHER, is_draining=True)}
    await asker.ids()
    asker.redis.answering = {}
    assert await asker.ids() == ({OWN}, set())


async def test_a_bridge_whose_heartbeat_alone_is_heard_is_silent(asker: Asker) -> None:
    [listener] = [
        each for name, [each] in asker.redis.listeners.items() if name.startswith("genai:bridges:")
    ]
    listener.put(encode_heartbeat(Heartbeat(THIRD)))
    await asyncio.sleep(0)
    answers = await asker.rounds.ask()
    assert [(each.id, each.service, each.version) for each in answers.silent] == [
        (THIRD, None, None)
    ]


async def test_what_is_no_answer_of_a_known_form_is_passed_over(asker: Asker) -> None:
    channel = told_channel(OWN)
    for nonsense in (b"told/9 {}", b"told/1 {}", b"\xff", b""):
        asker.redis.publish(channel, nonsense)
    asker.redis.answering = {OTHER: process(OTHER)}
    assert await asker.ids() == ({OWN, OTHER}, set())


async def test_an_answer_to_another_look_is_none_to_this_one_but_its_sender_is_known(
    asker: Asker,
) -> None:
    asker.redis.publish(told_channel(OWN), encode_told(Told(uuid4(), process(OTHER))))
    await asyncio.sleep(0)
    assert await asker.ids() == ({OWN}, {OTHER})


async def test_no_more_processes_are_kept_than_the_bound(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PROCESSES_LIMIT", 2)
    asker.redis.answering = {UUID(int=number): process(UUID(int=number)) for number in range(9)}
    answered, _ = await asker.ids()
    assert len(answered) <= 2


async def test_without_redis_only_the_process_itself_is_told(asker: Asker) -> None:
    asker.redis.is_away = True
    answers = await asker.rounds.ask()
    assert [each.id for each in answers.processes] == [OWN]
    assert (answers.silent, answers.are_all) == ([], False)


async def test_a_process_is_read_once_for_all_who_ask_in_a_moment(asker: Asker) -> None:
    await asker.ids()
    await asker.ids()
    assert asker.this.read == 1


async def test_a_process_is_read_anew_after_a_moment(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling_module, "FRESH_SECONDS", 0.0)
    await asker.ids()
    await asker.ids()
    assert asker.this.read == 2


def test_installations_that_share_a_redis_do_not_hear_each_other() -> None:
    other = read_settings(make_secrets(), Settings)
    assert processes_channel(SETTINGS) != processes_channel(other)
    assert SETTINGS.secret_key not in processes_channel(SETTINGS)


async def test_at_rest_nothing_is_said(asker: Asker) -> None:
    await asyncio.sleep(0.1)
    assert asker.redis.looks == 0
    assert asker.this.read == 0
