"""Claims go round among users: who has much waiting, or much running, holds up nobody else."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from databases import Database

from agent_bridge.requests.taking_queries import claim_requests
from gateway.streams.asking_queries import (
    Acceptance,
    Bounds,
    Inserted,
    NewRequest,
    insert_request,
)
from gateway.streams.questions import Question
from shared.postgres.pool import connect, create_database
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.agent_bridge.actors import until_invoked
from tests.agent_bridge.broken import keep_bridges
from tests.gateway.rows import insert_user
from tests.master import Invocation, answer, run_master
from tests.system import System
from tests.users import User, register_user

LANES = 3


async def _send_in_sessions(stack: AsyncExitStack, user: User, count: int) -> None:
    for number in range(count):
        chat = await stack.enter_async_context(user.chat())
        await chat.send(f"{user.name} {number}")


async def test_whose_agents_never_answer_takes_no_lane_from_others(
    running: System, owner: User
) -> None:
    keep_bridges(running, 1, ROUTER_LANES=str(LANES))
    never = asyncio.Event()

    async def behave(invocation: Invocation) -> Any:
        if invocation.payload["message"].startswith(owner.name):
            await never.wait()
        return answer(invocation.payload["message"])

    async with AsyncExitStack() as stack:
        master = await stack.enter_async_context(run_master(running.router_url, behave))
        await _send_in_sessions(stack, owner, 4 * LANES)
        await until_invoked(master, LANES)
        for _ in range(3):
            async with register_user(running.gateway) as other:
                await other.create_config()
                async with other.chat() as chat:
                    assert (await chat.ask("hello"))["response"]["response"] == answer("hello")
        assert len(master.invocations) == LANES + 3
        never.set()


@pytest.fixture
async def database(environment: dict[str, str]) -> AsyncIterator[Database]:
    """An installation of the test's own, in which nobody claims."""
    async with create_database(read_settings(environment, Settings)) as database:
        yield database


async def _wait(database: Database, owner: UUID, count: int) -> None:
    """Messages of so many new sessions."""
    async with connect(database) as connection:
        for _ in range(count):
            question = Question(user_id=owner, session_id=uuid4(), message="m")
            new = NewRequest(question, timedelta(hours=1))
            assert await insert_request(connection, new, Bounds()) == Inserted(Acceptance.STORED)


async def _claim(database: Database, limit: int, *most_running: int) -> list[UUID]:
    async with connect(database) as connection:
        claimed = await claim_requests(connection, uuid4(), limit, *most_running)
    return [request.creator_id for request in claimed]


async def _owners(database: Database) -> list[UUID]:
    """A user with five waiting messages, then one with two, then one with one."""
    owners = [await insert_user(database) for _ in range(3)]
    for owner, count in zip(owners, (5, 2, 1), strict=True):
        await _wait(database, owner, count)
    return owners


async def test_who_has_least_running_is_next_and_then_who_waits_longest(database: Database) -> None:
    a, b, c = await _owners(database)
    claimed = [owner for _ in range(8) for owner in await _claim(database, 1)]
    assert claimed == [a, b, c, a, b, a, a, a]
    assert await _claim(database, 1) == []


async def test_so_it_is_where_several_are_claimed_at_once(database: Database) -> None:
    a, b, c = await _owners(database)
    first, second = await _claim(database, 4), await _claim(database, 100)
    assert (Counter(first), Counter(second)) == ({a: 2, b: 1, c: 1}, {b: 1, a: 3})


async def test_what_is_kept_for_who_has_none_running_goes_to_nobody_else(
    database: Database,
) -> None:
    a, b, c = await _owners(database)
    assert await _claim(database, 1) == [a]
    assert Counter(await _claim(database, 100, 0)) == {b: 1, c: 1}
    assert await _claim(database, 100, 0) == []


async def test_lanes_that_nobody_else_wants_are_all_his(database: Database) -> None:
    owner = await insert_user(database)
    await _wait(database, owner, 30)
    assert await _claim(database, 20) == [owner] * 20


async def test_bridges_that_claim_at_once_share_what_waits(database: Database) -> None:
    owners = await _owners(database)
    claimed = await asyncio.gather(*(_claim(database, 4) for _ in range(4)))
    assert Counter(owner for some in claimed for owner in some) == dict(
        zip(owners, (5, 2, 1), strict=True)
    )
