"""Notifications over a real Valkey, which is killed and comes back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from devstack.valkey import ValkeyServer, run_valkey
from shared.notifications.bus import (
    BATCH_BYTES_LIMIT,
    LISTENER_BYTES,
    LISTENER_LIMIT,
    OUTBOX_BYTES_LIMIT,
    OUTBOX_LIMIT,
    Listener,
    Message,
    Notifications,
    Outbox,
)
from shared.notifications.channels import session_channel
from shared.notifications.formats import FRAME_LIMIT, Frames, decode_frames, encode_frames
from shared.redis.servers import create_redis
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.system import make_secrets
from tests.users import eventually


@pytest.fixture(scope="module")
def own_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """A server whose subscribers may be killed: nobody else's are there."""
    with run_valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


def settings_of(url: str) -> Settings:
    return read_settings({**make_secrets(), "REDIS_URL": url}, Settings)


@asynccontextmanager
async def running(*loops: Coroutine[None, None, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        yield
        assert not any(task.done() for task in tasks), "a loop has ended"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def run_notifications(url: str) -> AsyncIterator[Notifications]:
    redis = create_redis(settings_of(url))
    notifications = Notifications(redis)
    async with running(notifications.read(), notifications.outbox.write()):
        yield notifications
    await redis.aclose()


@pytest.fixture
async def notifications(
    own_valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Notifications]:
    monkeypatch.setattr("shared.notifications.bus.RECONCILE_SECONDS", 0.05)
    monkeypatch.setattr("shared.notifications.bus.RETRY_SECONDS", (0.01, 0.05))
    async with run_notifications(own_valkey.url) as notifications:
        yield notifications


@pytest.fixture
async def admin(own_valkey: ValkeyServer) -> AsyncIterator["Redis"]:
    client: Redis = Redis.from_url(own_valkey.url)
    async with client:
        yield client


async def take(listener: Listener) -> Message:
    async with asyncio.timeout(5):
        return await listener.get()


async def test_a_gap_comes_first(notifications: Notifications) -> None:
    async with notifications.subscribe("a") as listener:
        assert await take(listener) is None


async def test_what_is_published_after_the_gap_is_heard_in_order(
    notifications: Notifications,
) -> None:
    async with notifications.subscribe("a") as listener:
        await take(listener)
        for number in range(1000):
            notifications.publish("a", b"%d" % number)
        assert [await take(listener) for _ in range(1000)] == [b"%d" % n for n in range(1000)]


async def test_every_listener_of_a_channel_hears_it(notifications: Notifications) -> None:
    async with notifications.subscribe("a") as first, notifications.subscribe("a") as second:
        assert (await take(first), await take(second)) == (None, None)
        notifications.publish("a", b"1")
        assert (await take_next(first), await take_next(second)) == (b"1", b"1")


async def take_next(listener: Listener) -> Message:
    """The next message that is no gap."""
    while (message := await take(listener)) is None:
        pass
    return message


async def test_a_later_listener_is_told_a_gap_at_once(notifications: Notifications) -> None:
    async with notifications.subscribe("a") as first:
        await take(first)
        async with notifications.subscribe("a") as second:
            assert await take(second) is None


async def test_no_listener_hears_another_channel(notifications: Notifications) -> None:
    async with notifications.subscribe("a") as a, notifications.subscribe("b") as b:
        await take(a)
        await take(b)
        notifications.publish("a", b"for a")
        notifications.publish("b", b"for b")
        assert (await take_next(a), await take_next(b)) == (b"for a", b"for b")


async def test_two_processes_hear_each_other(
    notifications: Notifications, own_valkey: ValkeyServer
) -> None:
    async with run_notifications(own_valkey.url) as other, notifications.subscribe("a") as listener:
        await take(listener)
        other.publish("a", b"1")
        assert await take_next(listener) == b"1"


async def test_a_killed_connection_shows_as_a_gap_and_notifications_go_on(
    notifications: Notifications, admin: "Redis"
) -> None:
    async with notifications.subscribe("a") as listener:
        await take(listener)
        assert await admin.client_kill_filter(_type="pubsub") >= 1
        assert await take(listener) is None
        notifications.publish("a", b"1")
        assert await take_next(listener) == b"1"


async def subscribers(admin: "Redis", channel: str) -> int:
    [(_, count)] = await admin.pubsub_numsub(channel)
    return int(count)


async def test_the_last_listener_that_leaves_ends_the_subscription(
    notifications: Notifications, admin: "Redis"
) -> None:
    async with AsyncExitStack() as stack:
        async with notifications.subscribe("c") as listener:
            await stack.enter_async_context(notifications.subscribe("c"))
            await take(listener)
        assert await subscribers(admin, "c") == 1

    async def none() -> bool:
        return await subscribers(admin, "c") == 0

    await eventually(none, "nobody is subscribed")


async def test_a_listener_that_comes_back_at_once_is_not_deaf(notifications: Notifications) -> None:
    for _ in range(20):
        async with notifications.subscribe("a") as listener:
            await take(listener)
            notifications.publish("a", b"1")
            assert await take_next(listener) == b"1"


async def test_who_comes_back_while_a_crowd_leaves_in_portions_is_not_deaf(
    notifications: Notifications, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.notifications.bus.PORTION", 1)
    for _ in range(10):
        async with AsyncExitStack() as crowd:
            for number in range(20):
                await take(await crowd.enter_async_context(notifications.subscribe(f"{number}")))
        for number in range(20):
            async with notifications.subscribe(f"{number}") as listener:
                await take(listener)
                notifications.publish(f"{number}", b"1")
                assert await take_next(listener) == b"1"


async def test_a_listener_tells_what_has_come_until_it_is_told_to_be_silent() -> None:
    listener, told = Listener(), list[int]()
    listener.put(b"1")
    listener.tell(lambda: told.append(1))
    listener.put(b"2")
    listener.tell(None)
    listener.put(b"3")
    assert (len(told), listener.clear()) == (2, [b"1", b"2", b"3"])


async def test_subscriptions_while_connections_break_end_neither_the_reader_nor_themselves(
    notifications: Notifications, admin: "Redis"
) -> None:
    async def come_and_go(number: int) -> None:
        for _ in range(30):
            async with notifications.subscribe(f"restless {number}"):
                await asyncio.sleep(0.005)

    visitors = [asyncio.create_task(come_and_go(number)) for number in range(15)]
    for _ in range(15):
        await admin.client_kill_filter(_type="pubsub")
        await asyncio.sleep(0.02)
    await asyncio.gather(*visitors)
    async with notifications.subscribe("a") as listener:
        await take(listener)
        notifications.publish("a", b"1")
        assert await take_next(listener) == b"1"


async def test_publishing_returns_at_once_while_nothing_is_running() -> None:
    notifications = Notifications(create_redis(settings_of("redis://127.0.0.1:1/0")))
    for number in range(OUTBOX_LIMIT + 5):
        notifications.publish("a", b"%d" % number)


async def test_what_waits_for_redis_is_bounded_in_bytes_and_the_oldest_is_dropped() -> None:
    redis = create_redis(settings_of("redis://127.0.0.1:1/0"))
    outbox, size = Outbox(redis), 60_000
    before = dropped()
    for number in range(2 * OUTBOX_BYTES_LIMIT // size):
        outbox.publish("a", b"%d " % number + bytes(size))
    waiting = [message for _, message in outbox._waiting]
    assert OUTBOX_BYTES_LIMIT - 2 * size < sum(map(len, waiting)) <= OUTBOX_BYTES_LIMIT
    assert waiting[-1].startswith(b"%d " % number)
    assert dropped() - before == number + 1 - len(waiting)
    await redis.aclose()


def dropped() -> float:
    return REGISTRY.get_sample_value("genai_notifications_dropped_total") or 0.0


async def test_a_pipeline_is_bounded_in_bytes_and_all_is_published_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    redis = create_redis(settings_of("redis://127.0.0.1:1/0"))
    outbox, batches = Outbox(redis), list[list[bytes]]()

    async def publish_all(batch: list[tuple[str, bytes]]) -> None:
        batches.append([message for _, message in batch])

    monkeypatch.setattr(redis, "publish", publish_all)
    given = [bytes([number]) * (400_000 if number % 5 else 2_000_000) for number in range(15)]
    for message in given:
        outbox.publish("a", message)
    async with running(outbox.write()):
        await outbox.flush()
    assert [message for batch in batches for message in batch] == given
    sizes = [sum(map(len, batch)) for batch in batches]
    assert all(
        size <= BATCH_BYTES_LIMIT or len(batch) == 1
        for size, batch in zip(sizes, batches, strict=True)
    )
    assert len(batches) < len(given)
    await redis.aclose()


async def test_it_is_not_up_where_nobody_listens() -> None:
    redis = create_redis(settings_of("redis://127.0.0.1:1/0"))
    assert await Notifications(redis).is_up() is False
    await redis.aclose()


async def test_it_is_up_once_the_reader_is_subscribed(notifications: Notifications) -> None:
    await eventually(notifications.is_up, "the reader is subscribed")


async def test_it_is_not_up_while_nobody_reads(own_valkey: ValkeyServer) -> None:
    redis = create_redis(settings_of(own_valkey.url))
    assert await Notifications(redis).is_up() is False
    await redis.aclose()


@contextmanager
def restartable(folder: Path) -> Iterator[tuple[ValkeyServer, Callable[[], ValkeyServer]]]:
    """A server, and what starts another at its port when it was killed."""
    with run_valkey(folder) as server, ExitStack() as stack:

        def again() -> ValkeyServer:
            return stack.enter_context(run_valkey(folder, port=server.port))

        yield server, again


async def test_notifications_go_on_when_redis_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.notifications.bus.RECONCILE_SECONDS", 0.05)
    with restartable(tmp_path) as (server, again):
        async with (
            run_notifications(server.url) as notifications,
            notifications.subscribe("a") as listener,
        ):
            await take(listener)
            server.child.kill()
            await eventually(lambda: is_down(notifications), "Redis is away")
            for number in range(100):
                notifications.publish("a", b"%d" % number)
            async with asyncio.timeout(1), notifications.subscribe("b"):
                pass
            again()
            async with asyncio.timeout(10):
                assert await listener.get() is None
            await eventually(notifications.is_up, "Redis is back")
            notifications.publish("a", b"new")
            while await take_next(listener) != b"new":
                pass


async def is_down(notifications: Notifications) -> bool:
    return not await notifications.is_up()


async def test_a_listener_that_is_too_slow_finds_a_single_gap() -> None:
    listener = Listener()
    for number in range(LISTENER_LIMIT + 5):
        listener.put(b"%d" % number)
    taken = [await take(listener) for _ in range(5)]
    assert taken == [None, *(b"%d" % (LISTENER_LIMIT + number) for number in range(1, 5))]


async def test_a_listener_holds_a_bounded_number() -> None:
    listener = Listener()
    for _ in range(10 * LISTENER_LIMIT):
        listener.put(b"x")
    held = 0
    with suppress(TimeoutError):
        while True:
            async with asyncio.timeout(0.01):
                await listener.get()
            held += 1
    assert held <= LISTENER_LIMIT


async def test_a_listener_holds_a_bounded_number_of_bytes() -> None:
    listener = Listener()
    for _ in range(2 * LISTENER_BYTES // FRAME_LIMIT + 1):
        listener.put(b"x" * FRAME_LIMIT)
    assert await take(listener) is None
    assert await take(listener) == b"x" * FRAME_LIMIT


async def test_a_listener_that_was_read_takes_as_much_again() -> None:
    listener = Listener()
    for _ in range(3 * LISTENER_BYTES // FRAME_LIMIT):
        listener.put(b"x" * FRAME_LIMIT)
        assert await take(listener) == b"x" * FRAME_LIMIT


async def test_what_was_published_is_on_its_way_after_a_flush(notifications: Notifications) -> None:
    async with notifications.subscribe("a") as listener:
        await take(listener)
        notifications.publish("a", b"1")
        await notifications.outbox.flush()
        assert not notifications.outbox._waiting
        assert await take_next(listener) == b"1"


async def test_a_flush_ends_while_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.notifications.bus.FLUSH_SECONDS", 0.05)
    notifications = Notifications(create_redis(settings_of("redis://127.0.0.1:1/0")))
    notifications.publish("a", b"1")
    async with asyncio.timeout(1):
        await notifications.outbox.flush()


async def test_a_listener_waits_for_what_is_put_later() -> None:
    listener = Listener()
    waiting = asyncio.create_task(take(listener))
    await asyncio.sleep(0)
    listener.put(b"1")
    assert await waiting == b"1"


@pytest.mark.parametrize("frames", [[b"{}"], [b"{}", b"[]", b"{}"], [b"x" * FRAME_LIMIT]])
def test_frames_come_back_with_the_number_of_the_last(frames: list[bytes]) -> None:
    told = [frame.decode() for frame in frames]
    assert decode_frames(encode_frames(7, frames)) == Frames(7, told)


@pytest.mark.parametrize("sizes", [[FRAME_LIMIT + 1], [FRAME_LIMIT, 1]])
def test_frames_that_are_too_large_go_as_their_number_only(sizes: list[int]) -> None:
    assert decode_frames(encode_frames(7, [b"x" * size for size in sizes])) == Frames(7, [])


def test_a_session_has_a_channel_of_its_own() -> None:
    channels = {session_channel(UUID(int=a), UUID(int=b)) for a in (1, 2) for b in (1, 2)}
    assert len(channels) == 4
