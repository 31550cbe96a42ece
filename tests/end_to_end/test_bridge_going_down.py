"""A bridge that is told to end: what runs may end, what was not sent is handed over."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from redis.asyncio import Redis

from devstack.processes import Child
from shared.notifications.channels import WAITING_REQUESTS
from shared.notifications.formats import decode_waiting
from tests.agent_bridge.actors import abandoned, until_invoked, wait_for_ever
from tests.agent_bridge.broken import until_heard
from tests.agent_bridge.stored import Row, select_logs, select_requests
from tests.master import Invocation, Master, answer, run_master
from tests.system import System
from tests.users import Chat, Json, User, eventually, register_user


@pytest.fixture(scope="module")
def pair(module_system: System) -> System:
    """A router and a gateway; each test has bridges of its own."""
    module_system.start_gateway()
    return module_system


@pytest.fixture
async def user(pair: System) -> AsyncIterator[User]:
    async with register_user(pair.gateway) as user:
        await user.create_config()
        yield user


@pytest.fixture
async def master(pair: System) -> AsyncIterator[Master]:
    async with run_master(pair.router_url) as master:
        with abandoned(master):
            yield master


@contextmanager
def bridge(pair: System, **overrides: str) -> Iterator[Child]:
    """A bridge that is gone when the block ends."""
    child = pair.start_bridge(**overrides)
    try:
        yield child
    finally:
        child.kill()


async def go_down(pair: System, child: Child) -> None:
    """Tell the latest bridge to end, and wait until it says that it does."""
    child.process.send_signal(signal.SIGTERM)
    async with httpx2.AsyncClient(base_url=pair.bridges[-1]) as http:

        async def is_draining() -> bool:
            ready: Json = (await http.get("/ready")).json()
            return bool(ready["draining"])

        await eventually(is_draining, "the bridge is not ready any more")


async def until_ended(child: Child, seconds: float = 10.0) -> None:
    """Wait for the process, which nobody helps to end."""
    assert await asyncio.to_thread(child.process.wait, seconds) == -signal.SIGTERM


def row_of(pair: System, chat: Chat) -> Row:
    """The only request of a session."""
    [row] = select_requests(pair, chat.session_id)
    return row


async def test_what_runs_is_logged_and_answered_and_what_waits_is_left_to_others(
    pair: System, user: User, master: Master
) -> None:
    released = asyncio.Event()

    async def behave(invocation: Invocation) -> Any:
        await released.wait()
        await invocation.log("said while its bridge went down")
        return answer("in time")

    master.behave = behave
    async with user.chat() as chat, user.chat() as later:
        with bridge(pair) as first:
            await until_heard(pair, user, 10)
            await chat.send("running")
            await until_invoked(master)
            await go_down(pair, first)
            await later.send("too late for this bridge")
            released.set()
            log, reply = await chat.receive(), await chat.receive()
            await until_ended(first)
        assert log["log"]["message"] == "said while its bridge went down"
        assert reply["response"]["response"] == answer("in time")
        assert len(select_logs(pair, chat.session_id)) == 1
        assert (row_of(pair, later)["status"], row_of(pair, later)["claim_id"]) == ("queued", None)
        with bridge(pair):
            assert (await later.receive_answer())["response"]["response"] == answer("in time")
    assert len(master.invocations) == 2


async def test_what_is_not_answered_in_time_ends_as_interrupted(
    pair: System, user: User, master: Master
) -> None:
    master.behave = wait_for_ever
    with bridge(pair, DRAIN_TIMEOUT="1") as child:
        async with user.chat() as chat:
            await chat.send("never answered")
            await until_invoked(master)
            await go_down(pair, child)
            assert row_of(pair, chat)["status"] == "running"
            frame = await chat.receive_answer()
        await until_ended(child)
    assert "interrupted" in frame["error"]
    assert row_of(pair, chat)["status"] == "interrupted"


async def test_a_second_signal_ends_it_at_once(pair: System, user: User, master: Master) -> None:
    master.behave = wait_for_ever
    with bridge(pair, DRAIN_TIMEOUT="60") as child:
        async with user.chat() as chat:
            await chat.send("never answered")
            await until_invoked(master)
            await go_down(pair, child)
            child.process.send_signal(signal.SIGTERM)
            await until_ended(child, seconds=2)
            assert row_of(pair, chat)["status"] == "running"  # others end it, as after a crash


@pytest.mark.usefixtures("master")
async def test_what_was_not_sent_is_handed_over_at_once_and_announced(
    pair: System, user: User
) -> None:
    router = pair.children["router"].process
    with bridge(pair, DRAIN_TIMEOUT="60") as child:
        async with user.chat() as chat, Redis.from_url(pair.environment["REDIS_URL"]) as redis:
            router.send_signal(signal.SIGSTOP)  # so that no lane can be opened
            try:
                await chat.send("not sent")
                await eventually(lambda: _is(pair, chat, "running"), "the request is claimed")
                async with redis.pubsub() as pubsub:
                    await pubsub.subscribe(WAITING_REQUESTS)
                    child.process.send_signal(signal.SIGTERM)
                    await eventually(lambda: _is(pair, chat, "queued"), "it is given back", 3)
                    [heard] = [
                        decode_waiting(message["data"])
                        async for message in _listen(pubsub)
                        if message["type"] == "message"
                    ]
            finally:
                router.send_signal(signal.SIGCONT)
            assert heard == row_of(pair, chat)["id"]
            await until_ended(child)
            with bridge(pair):
                frame = await chat.receive_answer()
    assert frame["response"]["response"] == answer("echo: not sent")


async def _is(pair: System, chat: Chat, status: str) -> bool:
    return bool([row for row in select_requests(pair, chat.session_id) if row["status"] == status])


async def _listen(pubsub: Any) -> AsyncIterator[dict[str, Any]]:
    """What is heard until the first message."""
    async with asyncio.timeout(5):
        async for message in pubsub.listen():
            yield message
            if message["type"] == "message":
                return
