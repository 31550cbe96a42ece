"""Answers that come in parts: how soon, and how many parts a second, in each protocol."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from tests.benchmarks.chat import chatting
from tests.benchmarks.following import Follower, OverSocket
from tests.benchmarks.installation import Bench, Installation
from tests.benchmarks.load import Load, run_in_turn, run_load
from tests.benchmarks.people import insert_people, open_sessions
from tests.benchmarks.results import Row, Target, at_least, at_most, percentile

USERS, PARTS = 64, 200
SECONDS, ROUNDS = 2.0, 3
FIRST_SECONDS, FIRST_ROUNDS = 1.0, 5

FIRST = "1 user: first part, p50"
SOCKET = f"{USERS} users, socket: parts"
TARGETS: dict[str, Target] = {
    FIRST: at_most(1.3, of_floor=True),
    SOCKET: at_least(8000),
}


async def measure(bench: Bench) -> AsyncIterator[Row]:
    one = bench.start(has_doors=True)
    async with chatting(one, 1) as [chat], _over_sockets(one, 1) as [follower]:
        await run_in_turn(
            FIRST_ROUNDS,
            partial(run_load, [partial(chat.ask, 1)], FIRST_SECONDS),
            partial(run_load, [partial(follower.ask, 1)], FIRST_SECONDS),
        )
    part, entry = (1000 * percentile(each.firsts, 50) for each in (follower, chat))
    yield Row(FIRST, part, "ms", entry)
    async with _over_sockets(one, USERS) as followers:
        await _ask(followers, SECONDS, one)
        frames = sum(each.frames for each in followers)
        [load] = await run_in_turn(ROUNDS, partial(_ask, followers, SECONDS, one))
        frames = sum(each.frames for each in followers) - frames
    yield Row(SOCKET, PARTS * load.per_second, "/s", cpu=load.cpu(of_each=PARTS))
    yield Row("frames", frames / load.elapsed, "/s")


async def _ask(followers, seconds, one) -> Load:
    return await run_load([partial(each.ask, PARTS) for each in followers], seconds, one)


@asynccontextmanager
async def _over_sockets(one: Installation, users: int) -> AsyncIterator[list[Follower]]:
    people = insert_people(one.system.settings, users)
    sessions = await open_sessions(one.system.gateway, people, protocol="2")
    yield [OverSocket(socket) for socket, _ in sessions]
    for socket, _ in sessions:
        socket.close()
