"""5,000 idle sockets, and 20,000: what they take, a log entry to each, and their leaving."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial
from itertools import batched
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from uuid import uuid4

import orjson
import psutil
from attrs import frozen
from websockets.asyncio.client import ClientConnection, connect

from devstack.processes import Child, wait_until_ready
from tests.benchmarks.floors import start_floor_server
from tests.benchmarks.holder import HEARD, OPEN, URLS
from tests.benchmarks.installation import Bench, Installation
from tests.benchmarks.people import Person, WrongAnswerError, insert_people, socket_url
from tests.benchmarks.results import Row, Target, at_least, at_most
from tests.benchmarks.wire import Socket, allow_files, open_sockets
from tests.sql import run_sql
from tests.system import ML_KEY

SOCKETS = 5_000
AT_A_TIME = 50
IDLE_SECONDS = 3.0
ANSWER_SECONDS = 30.0
OPENING_SECONDS = 120.0
KIB = 1024

MOST = 20_000  # where a process may have so many files, and SPARE_FILES
SPARE_FILES = 200  # of a gateway, besides its sockets
LEAVING_SECONDS = 3.0
LOGGED_AT_ONCE, LOGGED_SECONDS = 500, 0.2
HELD_METRIC = "genai_loop_held_seconds"

LEAVING = f"{SOCKETS:,} leave at once: longest turn"
EACH_HEARD = f"{MOST:,}: sockets that got their entry"
TARGETS: dict[str, Target] = {
    "a socket": at_most(24),
    "a socket, against the bare server's": at_most(1.15, of_floor=True),
    LEAVING: at_most(50),
    EACH_HEARD: at_least(MOST - SPARE_FILES),
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
    """KiB for each, time to connect, CPU when idle, and a log entry for each; then so for more."""
    most = allow_files(MOST + SPARE_FILES) - SPARE_FILES
    one = bench.start(SOCKETS_PER_USER="0")
    [person] = insert_people(one.system.settings, 1)
    sessions = _insert_sessions(one, person, SOCKETS)
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
    for socket in opened.sockets:
        socket.close()
    async for row in _measure_many(bench.start(SOCKETS_PER_USER="0"), most):
        yield row


async def _measure_many(one: Installation, most: int) -> AsyncIterator[Row]:
    """The same with as many as a gateway may have files for."""
    [person] = insert_people(one.system.settings, 1)
    sessions = _insert_sessions(one, person, most)
    urls = [socket_url(one.system.gateway, person.token, session) for session in sessions]
    process = psutil.Process(one.pid("gateway"))
    idle, began = process.memory_info().rss, perf_counter()
    holders = _hold(one, urls)
    seconds = perf_counter() - began
    yield Row(f"{MOST:,}: a socket", (process.memory_info().rss - idle) / KIB / most, "KiB")
    yield Row(f"{MOST:,}: connecting all", seconds, "s")
    began = perf_counter()
    async with _agent(one) as agent:
        for some in batched(sessions, LOGGED_AT_ONCE):  # a bridge keeps 2,000 of an agent
            await _log(agent, some)
            await asyncio.sleep(LOGGED_SECONDS)
        await asyncio.to_thread(_until_said, holders, HEARD, ANSWER_SECONDS)
    yield Row(EACH_HEARD, most, "")
    yield Row(f"{MOST:,}: one log entry to each", perf_counter() - began, "s")
    yield Row(LEAVING, max([await _leave(one, holder) for holder in holders]), "ms")


def _hold(one: Installation, urls: Sequence[str]) -> list[Child]:
    """Processes that have opened a socket for each of these."""
    holders = []
    for number, some in enumerate(batched(urls, SOCKETS)):
        file = one.system.folder / f"urls {number}"
        file.write_text("\n".join(some))
        name = f"holder {number} of {len(urls)}"
        holders.append(one.system.start(name, "tests.benchmarks.holder", {URLS: str(file)}))
    _until_said(holders, OPEN, OPENING_SECONDS)
    return holders


def _until_said(holders: Sequence[Child], what: str, seconds: float) -> None:
    for holder in holders:
        wait_until_ready(holder, partial(_has_said, holder, what), seconds)


def _has_said(holder: Child, what: str) -> bool:
    return what in holder.last_lines()


async def _leave(one: Installation, holder: Child) -> float:
    """Kill one who holds sockets; the longest turn of a loop since, in ms, by its bucket."""
    before = one.looks(HELD_METRIC)
    holder.kill()
    await asyncio.sleep(LEAVING_SECONDS)
    grown = [bound for bound, looks in one.looks(HELD_METRIC).items() if looks > before[bound]]
    return 1000 * max(grown)


def _insert_sessions(one: Installation, person: Person, count: int) -> list[str]:
    sessions = [str(uuid4()) for _ in range(count)]
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
    began = perf_counter()
    async with _agent(one) as agent:
        await _log(agent, sessions)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                frames = [orjson.loads(await socket.receive()) for socket in sockets]
        except TimeoutError:
            raise WrongAnswerError("not every socket got its log entry") from None
    if [frame["log"]["message"] for frame in frames] != sessions:
        raise WrongAnswerError("a socket got the entry of another session")
    return perf_counter() - began


def _agent(one: Installation) -> connect:
    key = {"API-KEY": ML_KEY}
    return connect(one.system.router_url, additional_headers=key, compression=None)


async def _log(agent: ClientConnection, sessions: Sequence[str]) -> None:
    """One entry for each."""
    for session in sessions:
        ids = {"session_id": session, "request_id": session}
        entry = {"log_message": session, "log_level": "info"}
        await agent.send(orjson.dumps({"message_type": "agent_log", **entry, **ids}).decode())
