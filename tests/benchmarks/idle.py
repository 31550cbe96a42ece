"""5,000 sockets that say nothing: what they take, and how soon one log entry reaches each."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from uuid import uuid4

import orjson
import psutil
from attrs import frozen
from websockets.asyncio.client import connect

from tests.benchmarks.floors import start_floor_server
from tests.benchmarks.installation import Bench, Installation
from tests.benchmarks.people import Person, WrongAnswerError, insert_people, socket_url
from tests.benchmarks.results import Row, Target, at_most
from tests.benchmarks.wire import Socket, allow_files, open_sockets
from tests.sql import run_sql
from tests.system import ML_KEY

SOCKETS = 5_000
AT_A_TIME = 50
IDLE_SECONDS = 3.0
ANSWER_SECONDS = 30.0
KIB = 1024

TARGETS: dict[str, Target] = {
    "a socket": at_most(40),
    "a socket, against the bare server's": at_most(1.5, of_floor=True),
}

INSERT = """
    WITH new AS (
        SELECT CAST(id AS uuid) AS id FROM json_array_elements_text(%s) AS id
    ), chat AS (
        INSERT INTO chatconversations (session_id, creator_id, title) SELECT id, %s, '-' FROM new
    )
    INSERT INTO requests (id, session_id, creator_id, status, seq, deadline, ended_at)
    SELECT id, id, %s, 'answered', 0, now(), now() FROM new
"""


@frozen
class Opened:
    """Sockets that are open, and what that took."""

    sockets: Sequence[Socket]
    seconds: float
    kib_each: float


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """KiB for each, time to connect, CPU when idle; then a log entry for each."""
    allow_files(3 * SOCKETS)
    one = bench.start(SOCKETS_PER_USER="0")
    [person] = insert_people(one.system.settings, 1)
    sessions = _insert_sessions(one, person)
    with TemporaryDirectory() as folder:
        bare = start_floor_server(one, Path(folder))
        echoing = await _open([f"ws{bare.url[4:]}/echo"] * SOCKETS, bare.pid)
        for socket in echoing.sockets:
            socket.close()
    urls = [socket_url(one.system.gateway, person.token, session) for session in sessions]
    opened = await _open(urls, one.pid("gateway"))
    yield Row("a socket", opened.kib_each, "KiB")
    yield Row("a socket, against the bare server's", opened.kib_each, "KiB", echoing.kib_each)
    yield Row("connecting all", opened.seconds, "s", echoing.seconds)
    yield Row("the gateway's CPU while all are idle", await _idle_percent(one), "% of a core")
    yield Row("one log entry to each", await _log_to_each(one, sessions, opened.sockets), "s")


def _insert_sessions(one: Installation, person: Person) -> list[str]:
    sessions = [str(uuid4()) for _ in range(SOCKETS)]
    with run_sql(one.system.settings) as sql:
        sql(INSERT, orjson.dumps(sessions).decode(), person.id, person.id)
        sql("ANALYZE")
    return sessions


async def _open(urls: Sequence[str], pid: int) -> Opened:
    """Open all, some at a time, when some have shown what is loaded only once."""
    for socket in await open_sockets(urls[:AT_A_TIME], AT_A_TIME):
        socket.close()
    process = psutil.Process(pid)
    idle, began = process.memory_info().rss, perf_counter()
    sockets = await open_sockets(urls, AT_A_TIME)
    seconds = perf_counter() - began
    return Opened(sockets, seconds, (process.memory_info().rss - idle) / KIB / len(urls))


async def _idle_percent(one: Installation) -> float:
    before = one.spent()["gateway"]
    await asyncio.sleep(IDLE_SECONDS)
    return (one.spent()["gateway"] - before) / (1000 * IDLE_SECONDS) * 100


async def _log_to_each(
    one: Installation, sessions: Sequence[str], sockets: Sequence[Socket]
) -> float:
    """Seconds until each session's entry has reached its socket. Raises WrongAnswerError."""
    began, url, key = perf_counter(), one.system.router_url, {"API-KEY": ML_KEY}
    async with connect(url, additional_headers=key, compression=None) as agent:
        for session in sessions:
            ids = {"session_id": session, "request_id": session}
            entry = {"log_message": session, "log_level": "info"}
            await agent.send(orjson.dumps({"message_type": "agent_log", **entry, **ids}).decode())
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                frames = [orjson.loads(await socket.receive()) for socket in sockets]
        except TimeoutError:
            raise WrongAnswerError("not every socket got its log entry") from None
    if [frame["log"]["message"] for frame in frames] != sessions:
        raise WrongAnswerError("a socket got the entry of another session")
    return perf_counter() - began
