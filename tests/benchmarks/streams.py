"""Answers that come in parts: how soon, and how many parts a second, in each protocol.

What counts is the text that the agent said, in its order and each part of it once; in how many
frames it comes is another matter: parts are joined. Beside it another product, whose graph says
the same.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import attrs
from attrs import frozen

from tests.benchmarks.aegra.running import NotInstallableError, install, on_threads, run_aegra
from tests.benchmarks.chat import chatting
from tests.benchmarks.following import PROTOCOL, Follower, OverSocket
from tests.benchmarks.installation import Bench, Installation
from tests.benchmarks.load import Load, Measured, Work, run_in_turn, run_load
from tests.benchmarks.people import insert_people, open_sessions
from tests.benchmarks.results import Row, Target, at_least, at_most, percentile

USERS, PARTS = 64, 200
SECONDS, ROUNDS = 2.0, 3
FIRST_SECONDS, FIRST_ROUNDS = 1.0, 5
WARM_UP_SECONDS = 1.0
ONCE = 0.1  # seconds: each asks once, which takes others so long that it is enough

FIRST = "1 user: first part, p50"
SOCKETS, AEGRA = f"{USERS} users, sockets", f"{USERS} users, aegra"
BESIDE_AEGRA = f"{SOCKETS} against aegra: parts"
TARGETS: dict[str, Target] = {
    FIRST: at_most(1.3, of_floor=True),
    f"{SOCKETS}: parts": at_least(8000),
    BESIDE_AEGRA: at_least(20, of_floor=True),
}


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """The first part beside a first log entry; then 64 users whose answers have 200 parts each."""
    one = bench.start(has_doors=True)
    yield await _measure_first(one)
    async with over_sockets(one, USERS) as followers:
        await run_load(_asking(followers), WARM_UP_SECONDS)
        sockets = await _measure(followers, SECONDS, one)
    for row in sockets.rows(SOCKETS):
        yield row
    try:
        version = install()
    except NotInstallableError as error:
        yield Row(f"no aegra here: {error}", 0, "parts")
        return
    async for row in _measure_aegra(bench, version, sockets):
        yield row


async def _measure_first(one: Installation) -> Row:
    async with chatting(one, 1) as [chat], over_sockets(one, 1) as [follower]:
        await run_in_turn(
            FIRST_ROUNDS,
            partial(run_load, [partial(chat.ask, 1)], FIRST_SECONDS),
            partial(run_load, [partial(follower.ask, 1)], FIRST_SECONDS),
        )
    part, entry = (1000 * percentile(each.firsts, 50) for each in (follower, chat))
    return Row(FIRST, part, "ms", entry)


async def _measure_aegra(bench: Bench, version: str, sockets: "Measurement") -> AsyncIterator[Row]:
    with run_aegra(bench) as aegra:
        async with on_threads(aegra, USERS) as followers:
            await run_load(_asking(followers[:1]), WARM_UP_SECONDS)
            theirs = await _measure(followers, ONCE, aegra)
    for row in theirs.rows(f"{AEGRA} {version}"):
        yield row
    yield Row(BESIDE_AEGRA, sockets.parts, "/s", theirs.parts)


@frozen
class Told:
    """How much followers were told."""

    asked: int
    parts: int
    frames: int
    early: int

    def __sub__(self, before: "Told") -> "Told":
        """What has come since."""
        pairs = zip(attrs.astuple(self), attrs.astuple(before), strict=True)
        return Told(*(now - then for now, then in pairs))


@frozen
class Measurement:
    """What followers were told, and what that took."""

    load: Load
    told: Told

    @property
    def parts(self) -> float:
        """Of all answers, in a second."""
        return self.told.parts / self.load.elapsed

    def rows(self, name: str) -> list[Row]:
        """The rows of one protocol."""
        told = self.told
        return [
            Row(f"{name}: parts", self.parts, "/s", cpu=self.load.cpu(of_each=PARTS)),
            Row(f"{name}: frames", told.frames / self.load.elapsed, "/s"),
            Row(f"{name}: answers, p50", self.load.ms(50), "ms"),
            Row(f"{name}: answers before their last part", told.early, f"of {told.asked:,}"),
        ]


async def _measure(followers: Sequence[Follower], seconds: float, what: Measured) -> Measurement:
    before = _told(followers)
    load = await run_load(_asking(followers), seconds, what)
    return Measurement(load, _told(followers) - before)


def _told(followers: Sequence[Follower]) -> Told:
    sums = (sum(getattr(each, what) for each in followers) for what in attrs.fields_dict(Told))
    return Told(*sums)


def _asking(followers: Sequence[Follower]) -> list[Work]:
    return [partial(each.ask, PARTS) for each in followers]


@asynccontextmanager
async def over_sockets(one: Installation, users: int) -> AsyncIterator[list[OverSocket]]:
    """New users who each have a socket of the second protocol."""
    people = insert_people(one.system.settings, users)
    sessions = await open_sessions(one.system.gateway, people, protocol=PROTOCOL)
    yield [OverSocket(socket) for socket, _ in sessions]
    for socket, _ in sessions:
        socket.close()
