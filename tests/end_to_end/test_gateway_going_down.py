"""A gateway that is told to end: what it still does, in which order, and what goes on elsewhere."""

import asyncio
import signal
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import httpx2
import pytest
from attrs import define, frozen
from websockets.exceptions import ConnectionClosed

from devstack.processes import Child
from shared import VERSION
from tests.agent_bridge.actors import until_invoked
from tests.end_to_end.socket.front_end import chat_at, close_code
from tests.master import Invocation, Master, answer, run_master
from tests.system import System
from tests.users import Chat, Json, User, eventually, register_user

GRACE = "1"
HALF = b"x" * 400_000


@frozen
class Ready:
    """An answer of `/ready`."""

    status: int
    body: Json


@define
class Record:
    """What was seen of a gateway that went down while it had much to do."""

    ready_before: Ready
    ready: Ready
    answer_in_grace: Json
    close: int | None = None
    later_close: int | None = None
    rest: httpx2.Response | None = None
    upload: bytes = b""
    return_code: int | None = None
    resumed: Json | None = None
    invoked: int = 0


@pytest.fixture(scope="module")
async def record(module_system: System) -> AsyncIterator[Record]:
    """Go down with a socket, a running request and half an upload; then go on at another."""
    system = module_system
    system.start_bridge()
    child = system.start_gateway(DRAIN_GRACE=GRACE, DRAIN_TIMEOUT="20")
    system.start_gateway()
    async with register_user(system.gateway) as user, run_master(system.router_url) as master:
        await user.create_config()
        yield await _go_down(system, child, user, master)


async def _go_down(system: System, child: Child, user: User, master: Master) -> Record:
    released = asyncio.Event()

    async def behave(invocation: Invocation) -> Any:
        if invocation.payload["message"] == "slow":
            await released.wait()
        return answer("done")

    master.behave = behave
    async with user.chat() as chat, user.chat() as other:
        await other.send("slow")
        await until_invoked(master)
        reader, writer = await _begin_upload(user)
        before = await _read_ready(user)
        child.process.send_signal(signal.SIGTERM)
        await eventually(lambda: _is_draining(user), "the gateway is not ready any more")
        record = Record(before, await _read_ready(user), await chat.ask("in the grace"))
        record.close = await _close_of(chat)
        record.later_close, _ = await close_code(user, token=user.token)
        record.rest = await user.http.get("/api/chats")
        writer.write(HALF + b"\r\n--B--\r\n")
        record.upload = await reader.read()
        writer.close()
    record.return_code = await asyncio.to_thread(child.process.wait, 10)
    released.set()
    url = system.gateways[1].replace("http", "ws", 1) + "/frontend/ws"
    async with chat_at(url, user, other.session_id, after=0) as again:
        record.resumed = await again.receive_answer()
    record.invoked = len(master.invocations)
    return record


async def _begin_upload(user: User) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    url = user.http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    part = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + HALF
    length = len(part) + len(HALF) + len(b"\r\n--B--\r\n")
    head = (
        f"POST /files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {user.token}\r\n"
        f"Content-Type: multipart/form-data; boundary=B\r\nContent-Length: {length}\r\n\r\n"
    )
    writer.write(head.encode() + part)
    await writer.drain()
    return reader, writer


async def _read_ready(user: User) -> Ready:
    found = await user.http.get("/ready")
    return Ready(found.status_code, found.json())


async def _is_draining(user: User) -> bool:
    return (await _read_ready(user)).status == HTTPStatus.SERVICE_UNAVAILABLE


async def _close_of(chat: Chat) -> int | None:
    try:
        while True:
            await chat.receive()
    except ConnectionClosed:
        return chat.connection.close_code


async def test_readiness_ends_first(record: Record) -> None:
    assert (record.ready_before.status, record.ready_before.body["draining"]) == (200, False)
    assert record.ready == Ready(503, {"draining": True, "version": VERSION})


async def test_sockets_are_served_on_in_the_grace(record: Record) -> None:
    assert record.answer_in_grace["response"]["response"] == answer("done")


async def test_then_sockets_are_closed_with_1012(record: Record) -> None:
    assert record.close == 1012


async def test_a_socket_that_comes_later_is_closed_with_1012_and_not_refused(
    record: Record,
) -> None:
    assert record.later_close == 1012


async def test_rest_is_answered_until_the_end_and_connections_are_not_kept(record: Record) -> None:
    assert record.rest is not None
    assert (record.rest.status_code, record.rest.headers["connection"]) == (200, "close")


async def test_an_upload_that_had_begun_is_taken(record: Record) -> None:
    assert record.upload.startswith(b"HTTP/1.1 201 ")


async def test_the_process_ends_by_itself(record: Record) -> None:
    assert record.return_code == -signal.SIGTERM


async def test_the_answer_arrives_at_another_gateway_and_was_asked_for_once(record: Record) -> None:
    assert record.resumed is not None
    assert record.resumed["response"]["response"] == answer("done")
    assert record.invoked == 2
