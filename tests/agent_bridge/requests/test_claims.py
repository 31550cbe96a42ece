"""Several bridges: each request is run by one of them, and by none twice."""

import asyncio
import json
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from agent_bridge.requests.claiming import POLL_SECONDS
from gateway.streams.asking_queries import Acceptance, Bounds, Inserted, NewRequest, insert_request
from gateway.streams.questions import Question
from shared.postgres.pool import connect, create_database
from tests.agent_bridge.actors import unanswered, until_invoked
from tests.agent_bridge.broken import keep_bridges, living_bridges
from tests.agent_bridge.requests.test_requests import assert_failed
from tests.agent_bridge.stored import select, select_requests
from tests.faults.altered import LEASE_SECONDS
from tests.master import Invocation, answer, run_master
from tests.system import System
from tests.users import Chat, Json, User, eventually

SESSIONS = 12
MESSAGES = 5
LANES = 4


async def test_two_bridges_run_each_request_exactly_once(running: System, owner: User) -> None:
    keep_bridges(running, 2, ROUTER_LANES=str(LANES))
    both_are_busy = asyncio.Event()

    async def behave(invocation: Invocation) -> Any:
        if len(invocation.master.invocations) == 2 * LANES:
            both_are_busy.set()
        await both_are_busy.wait()
        return answer(invocation.payload["message"])

    async with run_master(running.router_url, behave) as master:
        answers = await asyncio.gather(*(_chat(owner, number) for number in range(SESSIONS)))
    for number, frames in enumerate(answers):
        told = [frame["response"]["response"]["response"] for frame in frames]
        assert told == [f"{number} {message}" for message in range(MESSAGES)]
        assert [frame["seq"] for frame in frames] == list(range(1, MESSAGES + 1))
    times = Counter(invocation.request_id for invocation in master.invocations)
    assert set(times.values()) == {1}
    assert len(times) == SESSIONS * MESSAGES
    sql = "SELECT DISTINCT bridge_id, status FROM requests WHERE creator_id = %s"
    ran = select(running, sql, owner.id)
    assert [row["status"] for row in ran] == ["answered"] * 2


async def _chat(user: User, number: int) -> list[Json]:
    async with user.chat() as chat:
        for message in range(MESSAGES):
            await chat.send(f"{number} {message}")
        return [await chat.receive_answer() for _ in range(MESSAGES)]


async def test_what_a_killed_bridge_ran_is_interrupted_after_its_lease(
    running: System, owner: User
) -> None:
    keep_bridges(running, 0)
    running.start_bridge("short_lease")
    async with (
        run_master(running.router_url) as master,
        owner.chat() as chat,
    ):
        async with unanswered(master, chat):
            keep_bridges(running, 0)
            keep_bridges(running, 1)
            frame = await _receive_late(chat)
        assert_failed(frame)
        assert len(master.invocations) == 1
        [request] = select_requests(running, chat.session_id)
        assert request["status"] == "interrupted"
        assert request["ended_at"] > request["lease_until"]
        stored = (await owner.history(chat.session_id))[-1]["content"]
        assert json.loads(stored) == frame["response"]["response"]


async def _receive_late(chat: Chat) -> Json:
    """The next frame, which may take as long as a lease."""
    async with asyncio.timeout(LEASE_SECONDS + 5):
        frame: Json = json.loads(await chat.connection.recv())
    return frame


async def test_a_bridge_that_is_stopped_lets_what_it_runs_end(running: System, owner: User) -> None:
    may_answer = asyncio.Event()

    async def behave(_invocation: Invocation) -> Any:
        await may_answer.wait()
        return answer("in time")

    async with (
        run_master(running.router_url, behave) as master,
        owner.chat() as chat,
    ):
        await chat.send("hello")
        await until_invoked(master)
        [bridge] = living_bridges(running)
        bridge.process.terminate()
        asyncio.get_running_loop().call_later(0.5, may_answer.set)
        assert (await chat.receive_answer())["response"]["response"] == answer("in time")
        bridge.stop()


async def test_a_request_that_waits_while_no_bridge_runs_is_answered_by_the_next_one(
    running: System, owner: User
) -> None:
    async with (
        run_master(running.router_url) as master,
        owner.chat() as chat,
    ):
        keep_bridges(running, 0)
        await chat.send("patient")
        keep_bridges(running, 1)
        frame = await chat.receive_answer()
    assert frame["response"]["response"] == answer("echo: patient")
    assert len(master.invocations) == 1


async def test_a_message_that_nobody_was_told_of_is_found_while_others_come(
    running: System, owner: User
) -> None:
    """As a gateway leaves it that dies between storing and telling."""
    question = Question(user_id=UUID(owner.id), session_id=uuid4(), message="untold")

    async def is_answered() -> bool:
        [request] = select_requests(running, str(question.session_id))
        return bool(request["status"] == "answered")

    async def talk(chat: Chat) -> None:
        while True:
            await chat.ask("told")

    async with run_master(running.router_url), owner.chat() as chat:
        await chat.ask("first")
        talking = asyncio.create_task(talk(chat))
        async with create_database(running.settings) as database, connect(database) as connection:
            new = NewRequest(question, timedelta(minutes=1))
            assert await insert_request(connection, new, Bounds()) == Inserted(Acceptance.STORED)
        await eventually(is_answered, "it is answered", POLL_SECONDS + 5)
        assert not talking.done()
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
