"""All processes are replaced one after the other while users chat without pause."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from attrs import frozen

from devstack.processes import Child
from tests.agent_bridge.stored import select
from tests.end_to_end.talker import Talker
from tests.master import Invocation, Master, echo, run_master
from tests.system import System
from tests.users import eventually, register_user

USERS = 5
WORK_SECONDS = 0.4
ANSWERS_BETWEEN = 1  # of each user, after each replacement


@frozen
class Record:
    """What was said and heard, by whom."""

    talkers: list[Talker]
    invoked: Counter[str]
    stored: list[dict[str, Any]]
    exits: list[int]


@pytest.fixture(scope="module")
async def record(module_system: System) -> AsyncIterator[Record]:
    system = module_system
    gateways = [system.start_gateway() for _ in range(2)]
    bridges = [system.start_bridge() for _ in range(2)]
    async with AsyncExitStack() as stack:
        master = await stack.enter_async_context(run_master(system.router_url, _work))
        talkers = [await _arrive(system, stack) for _ in range(USERS)]
        enough = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for talker in talkers:
                group.create_task(talker.talk(enough))
            exits = await _replace_all(system, talkers, gateways, bridges)
            enough.set()
        yield Record(talkers, _count(master), _stored(system), exits)


async def _work(invocation: Invocation) -> Any:
    await invocation.log("at work")
    await asyncio.sleep(WORK_SECONDS)
    return await echo(invocation)


async def _arrive(system: System, stack: AsyncExitStack) -> Talker:
    user = await stack.enter_async_context(register_user(system.gateway))
    await user.create_config()
    return Talker(user, system.gateways)


async def _replace_all(
    system: System, talkers: list[Talker], gateways: list[Child], bridges: list[Child]
) -> list[int]:
    exits = []
    for start, children in ((system.start_gateway, gateways), (system.start_bridge, bridges)):
        for child in children:
            await _until_answered(talkers)
            exits.append(await asyncio.to_thread(_replace, child, start))
            if children is gateways:
                del system.gateways[0]  # whom nobody asks any more
    await _until_answered(talkers)
    return exits


def _replace(child: Child, start: Callable[[], Child]) -> int:
    child.process.terminate()
    code = child.process.wait(15)
    start()
    return code


async def _until_answered(talkers: list[Talker]) -> None:
    before = [len(talker.answers) for talker in talkers]

    async def all_are_answered() -> bool:
        return all(
            len(talker.answers) >= count + ANSWERS_BETWEEN
            for talker, count in zip(talkers, before, strict=True)
        )

    await eventually(all_are_answered, "everybody is answered", seconds=20)


def _count(master: Master) -> Counter[str]:
    return Counter(invocation.payload["message"] for invocation in master.invocations)


def _stored(system: System) -> list[dict[str, Any]]:
    sql = """
        SELECT asked.content AS message, requests.status, answered.content AS answer
        FROM requests
        JOIN chatmessages AS asked
          ON asked.request_id = requests.id AND asked.sender_type = 'user'
        LEFT JOIN chatmessages AS answered
          ON answered.request_id = requests.id AND answered.sender_type = 'master_agent'
    """
    return select(system, sql)


async def test_each_process_ended_by_itself(record: Record) -> None:
    assert record.exits == [-15] * 4


async def test_each_message_has_exactly_one_answer_and_it_is_the_master_agent_s(
    record: Record,
) -> None:
    for talker in record.talkers:
        assert list(talker.answers) == talker.sent
        for message, frames in talker.answers.items():
            [frame] = frames
            assert "error" not in frame
            assert frame["response"]["is_success"] is True
            assert frame["response"]["response"]["response"] == f"echo: {message}"


async def test_no_frame_is_missing_and_none_comes_twice(record: Record) -> None:
    for talker in record.talkers:
        assert talker.seqs == list(range(1, len(talker.seqs) + 1))


async def test_each_message_was_given_to_the_master_agent_exactly_once(record: Record) -> None:
    said = [message for talker in record.talkers for message in talker.sent]
    assert record.invoked == Counter(said)


async def test_what_is_stored_is_what_was_said_and_answered(record: Record) -> None:
    said = {message for talker in record.talkers for message in talker.sent}
    assert {row["message"] for row in record.stored} == said
    assert len(record.stored) == len(said)
    for row in record.stored:
        assert row["status"] == "answered"
        assert json.loads(row["answer"])["response"] == f"echo: {row['message']}"


async def test_sockets_were_closed_with_1012_only(record: Record) -> None:
    closes = Counter(code for talker in record.talkers for code in talker.closes)
    assert closes.keys() == {1012}
