"""Somebody who takes all that he can get, as a process of his own: what he does costs him, too.

`DEED` says what that is, `GATEWAY_URL` where the gateway is.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import orjson
import psycopg
import uvloop
from attrs import frozen
from redis.asyncio import Redis
from websockets.asyncio.client import connect

from agent_bridge.router.frames import register_frame
from shared.notifications.channels import bridges_channel, session_channel
from shared.settings.installation import Settings
from shared.settings.reading import read_settings
from tests.benchmarks.people import Person, as_person, socket_url
from tests.benchmarks.stub_agent import NEVER
from tests.benchmarks.wire import (
    BrokenConnectionError,
    Http,
    Socket,
    connections,
    http_request,
    open_sockets,
)
from tests.gateway.belongings import Belongings, insert_belongings, make_belongings
from tests.sql import Sql, run_sql

BEGUN = "the neighbour has begun"
GATEWAY_URL, DEED = "GATEWAY_URL", "DEED"  # variables
ELSEWHERE = "127.0.0.2"  # an address of strangers
KIB = 1024
PAUSE_SECONDS = 0.01

BIG_SCHEMA = {"description": "x" * 60 * KIB}
"""What of an agent is just within its bound."""

INSERT_PERSON = "INSERT INTO users (id, username, password) VALUES (%s, %s, '-')"
INSERT_AGENTS = """
    INSERT INTO agents (id, creator_id, alias, name, description, jwt, input_parameters, is_active)
    SELECT CAST(id AS uuid), %s, id, id, 'big', id, %s, true
    FROM (SELECT CAST(gen_random_uuid() AS text) AS id FROM generate_series(1, %s)) AS new
"""
INSERT_LOGS = """
    INSERT INTO logs (session_id, request_id, creator_id, agent_id, message, log_level, seq)
    SELECT session_id, id, creator_id, 'agent', repeat('x', %s), 'info', 1 + number
    FROM requests CROSS JOIN generate_series(1, %s) AS number WHERE id = %s
"""
NUMBER_LOGS = "UPDATE chatconversations SET last_seq = 1 + %s WHERE session_id = %s"
INSERT_SERVERS = """
    INSERT INTO mcpservers (id, creator_id, name, description, server_url, is_active)
    SELECT gen_random_uuid(), %s, 'hangs', 'hangs', %s || '/' || number, true
    FROM generate_series(1, %s) AS number
"""
BIG_METADATA = "UPDATE modelproviders SET provider_metadata = %s WHERE creator_id = %s"


@frozen
class Here:
    """Where he is, and who."""

    settings: Settings
    gateway: str
    sql: Sql
    owner: Belongings
    person: Person

    def socket_url(self, session_id: str) -> str:
        """Where a socket of his is opened."""
        return socket_url(self.gateway, self.person.token, session_id)


type Deed = Callable[[Here], Awaitable[None]]


async def ask_what_is_never_answered(here: Here) -> None:
    """99 messages in 99 sessions."""
    sockets = await _open_sessions(here, 99)
    for socket in sockets:
        socket.send(_message(NEVER))
    _begin()
    await asyncio.Event().wait()


async def ask_too_much(here: Here) -> None:
    """Messages whose invocation is above what the master agent takes."""
    here.sql(BIG_METADATA, orjson.dumps({"note": "x" * 900_000}).decode(), here.owner.user_id)
    await _chat(here, 4, "x" * 200_000)


async def ask_with_big_agents(here: Here) -> None:
    """40 messages at a time, each with as many agents as an invocation takes."""
    here.sql(INSERT_AGENTS, here.owner.user_id, orjson.dumps(BIG_SCHEMA).decode(), 15)
    await _chat(here, 40, "hello")


async def list_big_agents(here: Here) -> None:
    """40 lists of 12 MB at a time."""
    here.sql(INSERT_AGENTS, here.owner.user_id, orjson.dumps(BIG_SCHEMA).decode(), 200)
    await _get(here, 40, "/api/agents?limit=1000")


async def log_often(here: Here) -> None:
    """7,000 short entries a second."""
    await _log(here, "short", 70)


async def log_much(here: Here) -> None:
    """250 entries of 60 KB a second."""
    await _log(here, "x" * 60_000, 2.5)


async def list_logs(here: Here) -> None:
    """Eight lists at a time of 160 MB of log entries."""
    here.sql(INSERT_LOGS, 16 * KIB, 10_000, here.owner.request_id)
    await _get(here, 8, f"/api/logs/list?session_id={here.owner.session_id}&limit=1000")


async def read_nothing(here: Here) -> None:
    """60 sockets that ask for 10 MB each, and take nothing."""
    entries = 150
    here.sql(INSERT_LOGS, 65_000, entries, here.owner.request_id)
    here.sql(NUMBER_LOGS, entries, here.owner.session_id)
    url = f"{here.socket_url(here.owner.session_id)}&after=0"
    while True:
        sockets = await open_sockets([url] * 60, 20)
        for socket in sockets:
            socket.pause()
        _begin()
        await asyncio.sleep(10)
        for socket in sockets:
            socket.close()


async def add_what_hangs(here: Here) -> None:
    """120 addresses of MCP servers that take a call and never answer."""

    async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    here.sql(INSERT_SERVERS, here.owner.user_id, f"http://127.0.0.1:{port}", 120)
    _begin()
    await server.serve_forever()


async def list_behind_a_lock(here: Here) -> None:
    """12 lists of files at a time, while somebody else has locked these."""
    with psycopg.connect(here.settings.database_url) as connection:
        connection.execute("LOCK TABLE files")
        await _get(here, 12, f"/files?session_id={here.owner.session_id}")


async def send_bodies_unknown(here: Here) -> None:
    """600 connections that send 1 MiB without a token, and never its end."""
    length = KIB * KIB
    head = http_request("POST", "/api/login/access-token", length, kind="application/json")
    await _hold(here, 600, head + b"x" * (length - 1))


async def begin_heads(here: Here) -> None:
    """3,000 connections whose head never ends."""
    await _hold(here, 3_000, b"GET /health HTTP/1.1\r\nHost: bench\r\n")


async def publish_nonsense(here: Here) -> None:
    """What is no notification, on every channel that he knows, 1,000 times a second."""
    owner = here.owner
    channels = [
        session_channel(UUID(owner.session_id), UUID(owner.user_id)),
        bridges_channel(here.settings),
    ]
    async with Redis.from_url(here.settings.redis_url) as redis:
        _begin()
        while True:
            async with redis.pipeline(transaction=False) as pipeline:
                for number in range(10):
                    pipeline.publish(channels[number % 2], b'{"no": "notification"')
                await pipeline.execute()
            await asyncio.sleep(PAUSE_SECONDS)


DEEDS: dict[str, Deed] = {
    deed.__name__.replace("_", " "): deed
    for deed in (
        ask_too_much,
        ask_with_big_agents,
        list_big_agents,
        log_often,
        log_much,
        list_logs,
        read_nothing,
        add_what_hangs,
        list_behind_a_lock,
        send_bodies_unknown,
        begin_heads,
        publish_nonsense,
        ask_what_is_never_answered,
    )
}


def _begin() -> None:
    print(BEGUN, flush=True)


def _message(text: str) -> bytes:
    return orjson.dumps({"message": text})


async def _open_sessions(here: Here, count: int) -> list[Socket]:
    urls = [here.socket_url(str(uuid4())) for _ in range(count)]
    return await open_sockets(urls, 20)


async def _chat(here: Here, count: int, text: str) -> None:
    """Have so many messages under way at a time, for ever."""
    sockets = await _open_sessions(here, count)

    async def chat(socket: Socket) -> None:
        while True:
            socket.send(_message(text))
            while b'"agent_response"' not in await socket.receive():
                pass

    _begin()
    await asyncio.gather(*map(chat, sockets))


async def _get(here: Here, count: int, path: str) -> None:
    """Have so many calls under way at a time, for ever; how they are answered is all the same."""
    request = http_request("GET", path, token=here.person.token)

    async def get(connection: Http) -> None:
        while True:
            await connection.ask(request)

    _begin()
    while True:
        async with connections(here.gateway, count) as opened:
            ends = await asyncio.gather(*map(get, opened), return_exceptions=True)
        _must_be_ends(ends)


async def _log(here: Here, text: str, at_once: float) -> None:
    """Log so many entries every 10 ms."""
    headers = {"X-Custom-Authorization": here.owner.agent_token}
    ids = {"session_id": here.owner.session_id, "request_id": here.owner.request_id}
    entry = {"message_type": "agent_log", "log_message": text, "log_level": "info", **ids}
    frame = orjson.dumps(entry).decode()
    url = str(here.settings.router_ws_url)
    async with connect(url, additional_headers=headers, compression=None) as agent:
        await agent.send(register_frame().decode())
        _begin()
        began, sent = asyncio.get_running_loop().time(), 0
        while True:
            due = (asyncio.get_running_loop().time() - began) * at_once / PAUSE_SECONDS
            while sent < due:
                await agent.send(frame)
                sent += 1
            await asyncio.sleep(PAUSE_SECONDS)


async def _hold(here: Here, count: int, sent: bytes) -> None:
    """Have so many connections that have sent this; each that ends is opened again."""
    host, port = here.gateway.removeprefix("http://").split(":")

    async def hold() -> None:
        while True:
            try:
                async with _stream(host, int(port)) as (reader, writer):
                    writer.write(sent)
                    await reader.read()
            except OSError:
                pass  # he was refused, and tries again
            await asyncio.sleep(1)

    _begin()
    await asyncio.gather(*(hold() for _ in range(count)))


@asynccontextmanager
async def _stream(
    host: str, port: int
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(host, port, local_addr=(ELSEWHERE, 0))
    try:
        yield reader, writer
    finally:
        writer.close()


def _must_be_ends(ends: Sequence[object]) -> None:
    """Raise what is no broken connection."""
    for end in ends:
        if not isinstance(end, BrokenConnectionError):
            raise TypeError(f"not an end of a connection: {end!r}")


async def run() -> None:
    """Do it for ever."""
    settings = read_settings(os.environ, Settings)
    owner = make_belongings(settings, str(uuid4()))
    with run_sql(settings) as sql:
        sql(INSERT_PERSON, owner.user_id, owner.marker)
        insert_belongings(sql, [owner])
        here = Here(settings, os.environ[GATEWAY_URL], sql, owner, as_person(settings, owner))
        await DEEDS[os.environ[DEED]](here)


if __name__ == "__main__":
    uvloop.run(run())
