"""Streams of events where there are too many, PostgreSQL is away, or their gateway goes down."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from attrs import frozen

from devstack.postgres import PostgresServer
from devstack.processes import Child
from devstack.valkey import ValkeyServer
from tests.end_to_end.socket.test_parts import say
from tests.end_to_end.test_event_streams import Event, events, post, receive, receive_all
from tests.end_to_end.test_metrics import scrape
from tests.master import Master, run_master
from tests.parts import Dictation, text_of
from tests.shared.line import LineAside, run_line_aside
from tests.sql import run_sql
from tests.system import System
from tests.users import FRAME_SECONDS, User, connect_to, eventually, insert_user

MOST = 3
GATEWAY = "gateway 1"


@frozen
class Installation:
    """Two gateways, of which the first reaches PostgreSQL and Redis over lines of its own."""

    system: System
    line: LineAside
    redis: LineAside
    child: Child

    def streams(self) -> float:
        """How many the first has open."""
        return scrape(self.system, GATEWAY)["genai_streams_open", ()]

    async def until_streams(self, count: int) -> None:
        """Wait until the first has so many open."""

        async def holds() -> bool:
            return self.streams() == count

        await eventually(holds, f"{count} streams are open")


@pytest.fixture(scope="module")
async def installation(
    anyio_backend: str, module_system: System, postgres: PostgresServer, valkey: ValkeyServer
) -> AsyncIterator[Installation]:
    with run_line_aside(postgres.port) as line, run_line_aside(valkey.port) as redis:
        child = module_system.start_gateway(
            SOCKETS_PER_USER=str(MOST),
            POSTGRES_PORT=str(line.port),
            REDIS_URL=valkey.url.replace(str(valkey.port), str(redis.port)),
        )
        module_system.start_gateway()
        module_system.start_bridge()
        yield Installation(module_system, line, redis, child)


@pytest.fixture
async def user(installation: Installation) -> AsyncIterator[User]:
    with run_sql(installation.system.settings) as sql:
        async with insert_user(installation.system, sql) as user:
            yield user


@pytest.fixture
async def master(installation: Installation) -> AsyncIterator[Master]:
    async with run_master(installation.system.router_url, say) as master:
        yield master


async def test_one_stream_too_many_is_refused_until_another_is_left(
    installation: Installation, user: User
) -> None:
    path = f"/api/sessions/{uuid4()}/events"
    async with AsyncExitStack() as stack:
        for _ in range(MOST - 1):
            await stack.enter_async_context(events(user, str(uuid4())))
        await stack.enter_async_context(user.chat())
        refused = await user.http.get(path)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) >= 1
        assert refused.json() == {"detail": "You have too many open sockets and streams"}
        assert installation.streams() == MOST - 1
    await installation.until_streams(0)
    for _ in range(2 * MOST):  # which takes no place for longer than it is answered
        assert (await user.http.head(path)).status_code == 200
    async with AsyncExitStack() as stack:
        for _ in range(MOST):
            await stack.enter_async_context(events(user, str(uuid4())))
    await installation.until_streams(0)


async def test_who_leaves_at_any_moment_leaves_nothing_behind(
    installation: Installation, user: User, master: Master
) -> None:
    session_id = str(uuid4())
    for number in range(20):
        async with events(user, session_id, after=0) as stream:
            await post(user, session_id, str(number))
            if number % 2:
                await receive(stream, 1)
    await installation.until_streams(0)
    assert "Traceback" not in installation.system.log_of(GATEWAY)


async def test_while_the_database_is_away_a_stream_stays_and_misses_nothing(
    installation: Installation, user: User, master: Master
) -> None:
    session_id = str(uuid4())
    elsewhere = connect_to(installation.system.gateways[1], Authorization=f"Bearer {user.token}")
    async with elsewhere, events(user, session_id) as stream:
        await post(user, session_id, "before")
        await receive_all(stream)
        installation.line.cut()
        try:
            path = f"/api/sessions/{session_id}"
            refused = await user.http.post(f"{path}/messages", json={"message": "lost"})
            assert refused.status_code == 503
            assert (await user.http.get(f"{path}/events")).status_code == 503
            sent = await elsewhere.post(f"{path}/messages", json={"message": "meanwhile"})
            assert sent.status_code == 202
            *_, (seq, _) = await receive_all(stream)
            assert seq == 2
        finally:
            installation.line.mend()

        async def is_back() -> bool:
            sent = await user.http.post(f"{path}/messages", json={"message": "after"})
            return sent.status_code == 202

        await eventually(is_back, "the database is back")
        *_, (seq, _) = await receive_all(stream)
        assert seq == 3


async def test_parts_that_were_lost_while_redis_was_away_are_in_the_next_one(
    installation: Installation, user: User, master: Master
) -> None:
    dictation = Dictation()
    master.behave = dictation.behave
    session_id = str(uuid4())
    async with events(user, session_id) as stream:
        await post(user, session_id, "What is the time?")
        dictation.say("It ")
        parts = [frame async for _, frame in until_text(stream, "It ")]
        installation.redis.cut()
        dictation.say("is ", "twelve ")
        await asyncio.sleep(0.1)  # they are told by then, to nobody
        installation.redis.mend()
        async with asyncio.timeout(FRAME_SECONDS):
            parts += [frame async for _, frame in until_text(stream, "is twelve ")]
        dictation.say("o'clock")
        dictation.end()
        *more, (seq, last) = await receive_all(stream)
    assert text_of(parts + [frame for _, frame in more]) == "It is twelve o'clock"
    assert (seq, last["response"]["response"]["response"]) == (1, "It is twelve o'clock")


async def until_text(stream: AsyncIterator[Event], text: str) -> AsyncIterator[Event]:
    """Events up to the part with which this is said."""
    said = ""
    while said != text:
        event = await anext(stream)
        said += event[1]["text"]
        yield event


async def test_it_ends_in_order_when_the_gateway_goes_down_and_goes_on_at_another(
    installation: Installation, user: User, master: Master
) -> None:
    """The last one: the gateway is no more."""
    session_id = str(uuid4())
    async with events(user, session_id) as stream:
        await post(user, session_id, "before")
        *_, (last, _) = await receive_all(stream)
        installation.child.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert [event async for event in stream] == []  # to its end, without an error
    assert await asyncio.to_thread(installation.child.process.wait, 10) == -signal.SIGTERM
    user.http.base_url = installation.system.gateways[1]
    accepted = await post(user, session_id, "after")
    async with events(user, session_id, last=last) as stream:
        *_, (seq, frame) = await receive_all(stream)
    assert (seq, frame["response"]["request_id"]) == (2, accepted["request_id"])
