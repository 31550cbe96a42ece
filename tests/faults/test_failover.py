"""PostgreSQL's primary dies, and its standby takes over: people chat on, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from time import monotonic

import httpx2
import psycopg
import pytest
from attrs import frozen
from websockets.exceptions import ConnectionClosed

from devstack.processes import free_port
from devstack.valkey import ValkeyServer
from shared.upgrade.migrate import migrate
from tests.faults.mortal import Pair, hold_pair
from tests.master import run_master
from tests.system import System, create_database, make_environment, run_system, url_of, with_url
from tests.users import Chat, User, eventually, register_user

FOUND_SECONDS = 10.0  # of its promotion
USERS = 6


@frozen
class Doubled:
    """An installation on a primary with its standby, which is read from too."""

    system: System
    postgres: Pair
    users: list[User]

    def ask(self, statement: str) -> int:
        """A number from the primary of the moment."""
        url = url_of(self.postgres.server, self.system.settings.postgres.database)
        with psycopg.connect(url) as connection:
            row = connection.execute(statement.encode()).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
async def doubled(valkey: ValkeyServer) -> AsyncIterator[Doubled]:
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(hold_pair())
        server = postgres.start()
        database = create_database(server)
        migrate(url_of(server, database))
        postgres.follow()
        environment = with_url(
            make_environment(server, database, valkey, free_port()), postgres.url_of(database)
        )
        environment["DATABASE_READ_URL"] = url_of(postgres.standby, database)
        system = stack.enter_context(run_system(environment))
        system.start_router()
        system.start_gateway()
        system.start_bridge()
        await stack.enter_async_context(run_master(system.router_url))
        users = [
            await stack.enter_async_context(register_user(system.gateway)) for _ in range(USERS)
        ]
        for user in users:
            await user.create_config()
        yield Doubled(system, postgres, users)


async def test_people_chat_on_when_the_standby_takes_over(doubled: Doubled) -> None:
    is_over = asyncio.Event()
    answered: list[float] = []
    statuses: set[int] = set()

    async def chat_on(user: User) -> None:
        while not is_over.is_set():
            with suppress(ConnectionClosed, OSError, TimeoutError, AssertionError):
                async with asyncio.timeout(5), user.chat() as chat:
                    await _ask_on(chat)

    async def _ask_on(chat: Chat) -> None:
        while not is_over.is_set():
            frame = await chat.ask("hello")
            if frame["seq"] is not None:  # else it was refused, to be sent again
                answered.append(monotonic())

    async def list_on(user: User) -> None:
        while not is_over.is_set():
            with suppress(httpx2.TimeoutException):
                statuses.add((await user.http.get("/api/agents")).status_code)
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as tasks:
        for user in doubled.users:
            tasks.create_task(chat_on(user))
            tasks.create_task(list_on(user))
        await eventually(lambda: _are_many(answered, 3 * USERS), "people chat")
        await asyncio.to_thread(doubled.postgres.kill)
        before = len(answered)
        await asyncio.sleep(1)
        await asyncio.to_thread(doubled.postgres.promote)
        promoted_at = monotonic()
        await eventually(lambda: _are_many(answered, before + 1), "somebody is answered", 20)
        await asyncio.to_thread(doubled.postgres.follow)
        await eventually(lambda: _are_many(answered, before + 3 * USERS), "people chat on", 20)
        is_over.set()
    assert min(each for each in answered if each > promoted_at) - promoted_at < FOUND_SECONDS
    assert statuses <= {200, 503}
    # Of those that the master agent could not be told of, the failure is an answer too.
    stored = doubled.ask("SELECT count(*) FROM requests WHERE ended_at IS NOT NULL")
    assert stored >= len(answered)


async def test_lists_are_read_from_the_standby_and_hold_what_was_just_written(
    doubled: Doubled,
) -> None:
    user = doubled.users[0]
    for count in range(1, 30):
        await user.register_agent(f"agent {count}", "is listed")
        listed = (await user.http.get("/api/agents", params={"limit": 100})).json()
        assert len(listed) == count
    async with httpx2.AsyncClient() as http:
        ready = (await http.get(f"{doubled.system.gateway}/ready")).json()
        told = (await http.get(doubled.system.metrics["gateway 1"])).text
    assert ready["standby"]["is_up"]
    [read] = [line for line in told.splitlines() if line.startswith("genai_standby_reads_total{")]
    assert 'outcome="standby"' in read
    assert float(read.rpartition(" ")[2]) >= 25


async def _are_many(things: list[float], number: int) -> bool:
    return len(things) >= number
