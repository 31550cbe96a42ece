"""An address has so many connections without a token at a gateway; who shows one is not counted."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from attrs import frozen

from devstack.processes import HOST
from gateway.keys.format import make_key
from shared.tokens import issue_user_token
from tests.sql import run_sql
from tests.system import Stores, System
from tests.users import User, eventually, insert_user

MOST = 5
ORIGIN = "https://front-end.example"
BODY = (
    b"POST /api/login/access-token HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nusername="
)
HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
_numbers = count(1)


def new_address() -> str:
    """An address of this machine that nobody has used yet."""
    return f"127.9.9.{next(_numbers)}"


def call(token: str, *headers: str) -> bytes:
    """A small request with a token."""
    lines = ["GET /api/chats HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


@frozen
class Client:
    """A connection, and what has come over it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def leave(self) -> None:
        """Break the connection."""
        self.writer.transport.abort()

    async def ask(self, request: bytes) -> tuple[int, Any]:
        """Send a request, or nothing, and read an answer: its status and its JSON."""
        self.writer.write(request)
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
            return int(head.split()[1]), json.loads(await self.reader.readexactly(length))


@frozen
class Gateway:
    """A gateway, and its clients, which leave in the end."""

    port: int
    exits: AsyncExitStack

    async def connect(self, address: str, request: bytes = b"") -> Client:
        """A connection from an address, that has sent something."""
        opened = await asyncio.open_connection(HOST, self.port, local_addr=(address, 0))
        client = Client(*opened)
        self.exits.callback(client.leave)
        client.writer.write(request)
        return client

    async def fill(self, address: str, request: bytes = b"") -> list[Client]:
        """As many connections as an address may have."""
        return [await self.connect(address, request) for _ in range(MOST)]

    async def is_open(self, address: str) -> bool:
        """Whether somebody who comes from there is answered."""
        status, _ = await (await self.connect(address)).ask(HEALTH)
        return status == 200


@pytest.fixture(scope="module")
def own_system(stores: Stores) -> Iterator[System]:
    """A gateway that believes nobody, and one whose proxy is on this host."""
    with stores.system(CONNECTIONS_PER_ADDRESS=str(MOST)) as system:
        system.start_gateway()
        system.start_gateway(TRUSTED_PROXIES=HOST)
        yield system


@pytest.fixture(scope="module")
async def user(own_system: System) -> AsyncIterator[User]:
    with run_sql(own_system.settings) as sql:
        async with insert_user(own_system, sql) as user:
            yield user


@asynccontextmanager
async def _gateway(url: str) -> AsyncIterator[Gateway]:
    async with AsyncExitStack() as exits:
        yield Gateway(urlsplit(url).port or 0, exits)


@pytest.fixture
async def gateway(own_system: System) -> AsyncIterator[Gateway]:
    async with _gateway(own_system.gateways[0]) as gateway:
        yield gateway


@pytest.fixture
async def behind_proxy(own_system: System) -> AsyncIterator[Gateway]:
    async with _gateway(own_system.gateways[1]) as gateway:
        yield gateway


@pytest.mark.parametrize("begun", [b"", b"GET /", BODY], ids=["idle", "head", "body"])
async def test_one_too_many_is_told_at_once_and_others_are_let_in(
    begun: bytes, gateway: Gateway
) -> None:
    address = new_address()
    await gateway.fill(address, begun)
    refused = await gateway.connect(address)
    status, told = await refused.ask(b"")
    assert status == 429
    assert told == {
        "detail": "Too many connections come from your address without a token, please try again"
    }
    assert await refused.reader.read() == b""
    assert await gateway.is_open(new_address())


async def test_one_that_speaks_first_is_told_too(gateway: Gateway) -> None:
    address = new_address()
    await gateway.fill(address)
    status, _ = await (await gateway.connect(address, HEALTH)).ask(b"")
    assert status == 429


async def test_one_that_leaves_makes_room(gateway: Gateway) -> None:
    address = new_address()
    [first, *_] = await gateway.fill(address, BODY)
    assert not await gateway.is_open(address)
    first.leave()
    await eventually(lambda: gateway.is_open(address), "there is room")


async def test_who_shows_a_token_is_not_counted_from_then_on(gateway: Gateway, user: User) -> None:
    address = new_address()
    for _ in range(3):
        for client in await gateway.fill(address):
            assert (await client.ask(call(user.token)))[0] == 200
    assert await gateway.is_open(address)


async def test_a_token_that_is_forged_or_old_makes_no_room(
    gateway: Gateway, user: User, own_system: System
) -> None:
    old = issue_user_token(own_system.settings.secret_key, UUID(user.id), seconds=-1)
    address = new_address()
    for number, client in enumerate(await gateway.fill(address)):
        token = old if number % 2 else f"{user.token[:-4]}AAAA"
        assert (await client.ask(call(token)))[0] == 401
    assert not await gateway.is_open(address)


async def test_an_api_key_makes_room_once_it_has_been_looked_up(
    gateway: Gateway, user: User
) -> None:
    address, keys = new_address(), []
    for number in range(MOST):
        new = {"name": str(number), "scopes": ["read"]}
        keys.append((await user.http.post("/api/keys", json=new)).json()["key"])
    for key, client in zip(keys, await gateway.fill(address), strict=True):
        assert (await client.ask(call(key)))[0] == 200
    assert await gateway.is_open(address)


async def test_an_api_key_that_there_is_not_makes_none(gateway: Gateway) -> None:
    address = new_address()
    for client in await gateway.fill(address):
        assert (await client.ask(call(make_key())))[0] == 401
    assert not await gateway.is_open(address)


async def test_a_user_s_sockets_are_not_counted(own_system: System, user: User) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(3 * MOST):
            chat = await stack.enter_async_context(user.chat())
            await (await chat.connection.ping())
        async with _gateway(own_system.gateway) as gateway:
            assert await gateway.is_open(HOST)


async def test_sockets_that_were_refused_or_have_ended_leave_nothing_behind(
    gateway: Gateway, user: User
) -> None:
    address = new_address()
    upgrade = (
        "GET /frontend/ws?token={} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    )
    for token, status in [("forged", b"403"), (user.token, b"101")] * MOST:
        client = await gateway.connect(address, upgrade.format(token).encode())
        assert status in await client.reader.readline()
        client.leave()
    await eventually(lambda: gateway.is_open(address), "there is room")
    await gateway.fill(new_address())


async def test_a_trusted_proxy_may_have_any_number(behind_proxy: Gateway) -> None:
    for _ in range(3):
        await behind_proxy.fill(HOST)
    assert await behind_proxy.is_open(HOST)


def by_proxy(address: str) -> Callable[[bytes], bytes]:
    """What a proxy makes of a request that it got from this address."""
    said = f"Host: x\r\nOrigin: {ORIGIN}\r\nX-Forwarded-For: {address}\r\n".encode()
    return lambda request: request.replace(b"Host: x\r\n", said)


async def test_what_is_worked_on_for_an_address_behind_it_is_bounded(
    behind_proxy: Gateway, user: User
) -> None:
    here, there = by_proxy("192.0.2.1"), by_proxy("192.0.2.2")
    clients = await behind_proxy.fill(HOST, here(BODY))
    asking = await behind_proxy.connect(HOST)

    async def is_refused() -> bool:
        return (await asking.ask(here(HEALTH)))[0] == 429

    await eventually(is_refused, "all of them are worked on")
    assert (await asking.ask(here(call(user.token))))[0] == 200
    assert (await asking.ask(there(HEALTH)))[0] == 200
    clients[0].leave()

    async def is_answered() -> bool:
        return (await asking.ask(here(HEALTH)))[0] == 200

    await eventually(is_answered, "one has ended")


async def test_a_refusal_through_a_proxy_can_be_read_by_a_page(behind_proxy: Gateway) -> None:
    here = by_proxy("192.0.2.3")
    await behind_proxy.fill(HOST, here(BODY))
    asking = await behind_proxy.connect(HOST)

    async def is_readable() -> bool:
        asking.writer.write(here(HEALTH))
        head = (await asking.reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        await asking.reader.readexactly(length)
        return " 429 " in head and "access-control-allow-origin" in head

    await eventually(is_readable, "a page is told")


async def test_the_log_tells_the_address_that_is_refused(
    own_system: System, gateway: Gateway
) -> None:
    address = new_address()
    await gateway.fill(address)

    async def is_logged() -> bool:
        assert not await gateway.is_open(address)
        lines = map(json.loads, own_system.log_of("gateway 1").splitlines())
        return any(
            line["event"].startswith("a connection was refused") and line["address"] == address
            for line in lines
        )

    await eventually(is_logged, "it is logged")
