"""How many answers a user may wait for, and what becomes of clients that leave, or take nothing."""

import asyncio
import json
from urllib.parse import urlsplit

import pytest

from gateway.streams.histories import BODY_LIMIT
from gateway.web.inputs import MAX_BODY_BYTES
from gateway.web.turns import BODIES_BYTES_PER_USER
from tests.gateway.bounded import (
    LARGE,
    bounded_system,
    own_master,
    own_user,
    statuses,
    until_idle,
    until_statuses,
    wait,
)
from tests.gateway.completions.test_errors import BODIES, CHAT, PATHS, refused
from tests.master import Invocation, Master, answer
from tests.system import System
from tests.users import Json, User, connect_to, register_user

own_system, user, master = bounded_system, own_user, own_master  # fixtures

WAYS = pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])


async def send(system: System, user: User, path: str, body: Json) -> asyncio.StreamWriter:
    """Post something over a connection of which nothing is read."""
    address = urlsplit(system.gateway)
    _, writer = await asyncio.open_connection(address.hostname, address.port, limit=1)
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Bearer {user.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    writer.write(head.encode() + content)
    return writer


@PATHS
@WAYS
async def test_who_leaves_ends_what_was_asked(
    own_system: System, user: User, master: Master, path: str, stream: bool
) -> None:
    master.behave = wait
    writer = await send(own_system, user, path, {**BODIES[path], "stream": stream})
    await until_statuses(own_system, user, "running")
    writer.transport.abort()
    await until_statuses(own_system, user, "cancelled")
    await until_idle(own_system)


@WAYS
async def test_one_question_too_many_is_429(
    own_system: System, user: User, master: Master, stream: bool
) -> None:
    master.behave = wait
    writer = await send(own_system, user, CHAT, BODIES[CHAT])
    await until_statuses(own_system, user, "running")
    status, told = await refused(user.http, CHAT, json={**BODIES[CHAT], "stream": stream})
    assert (status, told["type"], told["code"]) == (429, "rate_limit_error", "rate_limit_exceeded")
    writer.transport.abort()
    await until_statuses(own_system, user, "cancelled")


@WAYS
async def test_one_answer_too_many_is_refused_before_anything_is_asked(
    own_system: System, user: User, stream: bool
) -> None:
    async with user.chat(), user.chat():
        status, _ = await refused(user.http, CHAT, json={**BODIES[CHAT], "stream": stream})
        assert status == 429
    assert statuses(own_system, user) == []


@PATHS
async def test_who_takes_nothing_of_a_stream_is_cut_off(
    own_system: System, user: User, master: Master, path: str
) -> None:
    async def behave(_: Invocation) -> Json:
        return answer(LARGE)

    master.behave = behave
    writer = await send(own_system, user, path, {**BODIES[path], "stream": True})
    await until_statuses(own_system, user, "answered")
    await until_idle(own_system)
    writer.transport.abort()


@PATHS
@WAYS
async def test_a_gateway_that_goes_down_says_so_and_ends_what_was_asked(
    own_system: System, user: User, master: Master, path: str, stream: bool
) -> None:
    master.behave = wait
    gateway = own_system.start_gateway(DRAIN_TIMEOUT="1")
    async with connect_to(own_system.gateways.pop(), Authorization=f"Bearer {user.token}") as http:
        asking = asyncio.create_task(http.post(path, json={**BODIES[path], "stream": stream}))
        await until_statuses(own_system, user, "running")
        gateway.process.terminate()
        told = await asking
    assert told.status_code == (200 if stream else 503)
    assert "The server is restarting, please try again" in told.text
    await until_statuses(own_system, user, "cancelled")


async def test_large_bodies_that_never_end_keep_room_from_their_user_alone(
    own_system: System, user: User, master: Master
) -> None:
    writers = []
    for _ in range(BODIES_BYTES_PER_USER // BODY_LIMIT):
        address = urlsplit(own_system.gateway)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        head = (
            f"POST {CHAT} HTTP/1.1\r\nHost: {address.netloc}\r\nExpect: 100-continue\r\n"
            f"Authorization: Bearer {user.token}\r\nContent-Length: {BODY_LIMIT}\r\n\r\n"
        )
        writer.write(head.encode())
        assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        writers.append(writer)
    large = {**BODIES[CHAT], "user": "x" * MAX_BODY_BYTES}
    status, told = await refused(user.http, CHAT, json=large)
    assert (status, told["type"]) == (503, "server_error")
    async with register_user(own_system.gateway) as other:
        await other.create_config()
        for of in (other, user):  # a small one needs no room
            body = large if of is other else BODIES[CHAT]
            assert (await of.http.post(CHAT, json=body)).status_code == 200
    for writer in writers:
        writer.transport.abort()
