"""Calls in turn: those of a user wait for each other; an operation leaves connections to others."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import httpx2
import psycopg
import pytest

from gateway.web import turns as module
from gateway.web.errors import TooManyRequestsError, UnavailableError
from gateway.web.turns import Turns
from tests.agent_bridge.stored import execute
from tests.system import System
from tests.users import User, eventually, register_user

USER = uuid4()


async def enter(stack: AsyncExitStack, turns: Turns) -> None:
    await stack.enter_async_context(turns.calls.turn(USER))


async def test_who_has_enough_waits_for_one_of_his_own_and_nobody_else_does() -> None:
    turns = Turns(2, 100)
    async with AsyncExitStack() as stack:
        await enter(stack, turns)
        async with turns.calls.turn(USER):
            waiting = asyncio.create_task(enter(stack, turns))
            await asyncio.sleep(0)
            assert turns.must_wait(USER, "any")
            assert not turns.must_wait(uuid4(), "any")
            async with turns.calls.turn(uuid4()):
                assert not waiting.done()
        await waiting
    assert not turns.calls._users


async def test_who_waits_too_long_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.01)
    turns = Turns(1, 100)
    async with turns.calls.turn(USER):
        with pytest.raises(TooManyRequestsError) as refused:
            async with turns.calls.turn(USER):
                pass
    assert refused.value.headers == {"Retry-After": "1"}
    async with turns.calls.turn(USER):
        pass


async def test_no_more_wait_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_LIMIT", 0)
    turns = Turns(1, 100)
    async with turns.calls.turn(USER):
        with pytest.raises(TooManyRequestsError):
            async with turns.calls.turn(USER):
                pass


async def test_a_user_has_so_many_large_answers_and_leaves_room_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.01)
    turns, size = Turns(16, 100), module.LARGE_MOST_BYTES // (2 * module.LARGE_PER_USER)
    other = uuid4()
    async with AsyncExitStack() as stack:
        for user_id in (USER, other):
            await stack.enter_async_context(turns.calls.turn(user_id))
        for _ in range(module.LARGE_PER_USER):
            await stack.enter_async_context(turns.with_large_answer(USER, size))
        with pytest.raises(TooManyRequestsError):
            await stack.enter_async_context(turns.with_large_answer(USER, size))
        for _ in range(module.LARGE_PER_USER):
            await stack.enter_async_context(turns.with_large_answer(other, size))
    assert turns._large.free == module.LARGE_MOST_BYTES


async def test_large_answers_of_all_have_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.01)
    turns = Turns(0, 100)
    async with turns.with_large_answer(USER, module.LARGE_MOST_BYTES):
        with pytest.raises(UnavailableError):
            async with turns.with_large_answer(uuid4(), 1):
                pass
    async with turns.with_large_answer(USER, 1):
        pass


async def test_an_operation_has_half_of_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.01)
    turns = Turns(0, 4)
    async with turns.with_connection(uuid4(), "slow"), turns.with_connection(uuid4(), "slow"):
        assert turns.must_wait(USER, "slow")
        with pytest.raises(UnavailableError):
            async with turns.with_connection(uuid4(), "slow"):
                pass
        async with turns.with_connection(uuid4(), "other"):
            pass


async def test_a_table_that_is_locked_takes_nothing_from_other_routes(
    module_system: System,
) -> None:
    system = module_system
    system.start_gateway(DATABASE_POOL_SIZE="4", DRAIN_GRACE="0")
    async with register_user(system.gateway) as user, register_user(system.gateway) as other:
        async with _locked(system, "files"):
            asking = [asyncio.create_task(user.http.get("/user/files/metadata")) for _ in range(12)]
            await eventually(lambda: _is_waited_for(system), "the lock is waited for")
            for _ in range(20):
                assert (await other.http.get("/api/chats")).status_code == 200
                assert (await other.http.get("/ready")).status_code == 200
            statuses = {(await each).status_code for each in asking}
        assert statuses <= {429, 503}
        assert (await user.http.get("/user/files/metadata")).status_code == 200


@asynccontextmanager
async def _locked(system: System, table: str) -> AsyncIterator[None]:
    url = system.settings.database_url
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        yield
        await connection.rollback()


async def _is_waited_for(system: System) -> bool:
    sql = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'files'::regclass"
    async with await psycopg.AsyncConnection.connect(system.settings.database_url) as connection:
        found = await (await connection.execute(sql)).fetchone()
    return found is not None and found[0] > 0


async def test_a_bad_token_is_refused_before_its_body_has_come(system: System) -> None:
    url = httpx2.URL(system.gateway)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = (
        "POST /api/agents/register HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer dead\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
    )
    writer.write(head.encode())
    async with asyncio.timeout(5):
        assert (await reader.readline()).split()[1] in {b"401", b"403"}
    writer.close()


async def test_a_user_s_calls_are_all_answered_though_they_come_at_once(user: User) -> None:
    answers = await asyncio.gather(*(user.http.get("/api/chats") for _ in range(60)))
    assert {answer.status_code for answer in answers} == {200}


async def test_a_call_lasts_until_its_answer_is_taken(module_system: System) -> None:
    system = module_system
    system.start_gateway(CALLS_PER_USER="1")
    url, session_id = httpx2.URL(system.gateways[-1]), str(uuid4())
    async with register_user(system.gateways[-1]) as user:
        await user.http.post("/api/chats", json={"session_id": session_id, "title": "t"})
        execute(
            system,
            """
            INSERT INTO logs (session_id, request_id, log_level, message)
            SELECT %s, gen_random_uuid(), 'info', repeat('x', 65000) FROM generate_series(1, 150)
            """,
            session_id,
        )
        client = socket.create_connection((url.host, url.port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        _, writer = await asyncio.open_connection(sock=client, limit=1024)
        head = f"Host: x\r\nAuthorization: Bearer {user.token}\r\n\r\n"
        writer.write(f"GET /api/logs/list?session_id={session_id} HTTP/1.1\r\n{head}".encode())
        await asyncio.sleep(0.5)  # it is made by then, and nobody takes it
        assert (await user.http.get("/api/chats")).status_code == 429
        writer.transport.abort()
        assert (await user.http.get("/api/chats")).status_code == 200


async def test_a_user_has_a_quarter_of_the_connections_whatever_he_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.01)
    turns = Turns(0, 8)
    async with turns.with_connection(USER, "one"), turns.with_connection(USER, "two"):
        assert turns.must_wait(USER, "three")
        with pytest.raises(TooManyRequestsError):
            async with turns.with_connection(USER, "three"):
                pass
        async with turns.with_connection(uuid4(), "one"):
            pass


async def test_large_bodies_wait_for_those_of_their_user_and_not_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.01)
    turns, size = Turns(0, 100), module.BODIES_BYTES_PER_USER
    async with turns.with_large_body(USER, size):
        with pytest.raises(UnavailableError):
            async with turns.with_large_body(USER, 1):
                pass
        async with turns.with_large_body(uuid4(), size):
            pass
    async with turns.with_large_body(USER, size):
        pass
