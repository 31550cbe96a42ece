"""Answers that come in parts: how soon, and how many parts a second, in each protocol.

What counts is the text that the agent said, in its order and each part of it once; in how many
frames it comes is another matter: parts are joined. Beside it another product, whose graph says
the same.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import attrs
from attrs import frozen

from tests.benchmarks.aegra.running import NotInstallableError, install, run_aegra, threads_of
from tests.benchmarks.aegra.users import OnThread
from tests.benchmarks.chat import chatting
from tests.benchmarks.following import PROTOCOL, Follower, OverCompletions, OverSocket
from tests.benchmarks.installation import LOAD, Bench, Installation
from tests.benchmarks.load import Load, Measured, Work, run_in_turn, run_load
from tests.benchmarks.people import CONFIG, insert_people, open_sessions
from tests.benchmarks.results import Row, Target, at_least, at_most, percentile
from tests.benchmarks.wire import Events

USERS, PARTS = 64, 200
SECONDS, ROUNDS = 2.0, 3
WARM_UP_SECONDS = 1.0
ONCE = 0.1  # seconds: each of others' users asks once in a round, which takes long enough
FIRST_SECONDS, FIRST_ROUNDS = 1.0, 5

FIRST = "1 user: first part, p50"
SOCKETS, COMPLETIONS = f"{USERS} users, sockets", f"{USERS} users, completions"
AGAINST_SOCKETS = f"{COMPLETIONS} against sockets: parts"
AGAINST_AEGRA = f"{SOCKETS} against aegra: parts"
TARGETS: dict[str, Target] = {
    FIRST: at_most(1.3, of_floor=True),
    f"{SOCKETS}: parts": at_least(8000),
    AGAINST_SOCKETS: at_least(0.8, of_floor=True),
    AGAINST_AEGRA: at_least(20, of_floor=True),
}


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """The first part beside a first log entry; then 64 users whose answers have 200 parts each."""
    one = bench.start(has_doors=True)
    yield await _measure_first(one)
    async with AsyncExitStack() as stack:
        others: list[Group] = []
        try:  # first: it takes longer to start than a socket may be silent
            others.append(await stack.enter_async_context(_others(bench)))
        except NotInstallableError as error:
            yield Row(f"no aegra here: {error}", 0, "parts")
        groups = [
            Group(SOCKETS, one, await stack.enter_async_context(over_sockets(one, USERS))),
            Group(COMPLETIONS, one, await stack.enter_async_context(over_completions(one, USERS))),
            *others,
        ]
        sockets, completions, *measured_others = await _in_turn(groups)
    for measured in (sockets, completions, *measured_others):
        for row in measured.rows():
            yield row
    yield Row(AGAINST_SOCKETS, completions.parts, "/s", sockets.parts)
    for other in measured_others:
        yield Row(AGAINST_AEGRA, sockets.parts, "/s", other.parts)
        yield Row(f"{SOCKETS} against aegra: CPU per answer", sockets.cpu, "ms", other.cpu)


async def _measure_first(one: Installation) -> Row:
    async with chatting(one, 1) as [chat], over_sockets(one, 1) as [follower]:
        await run_in_turn(
            FIRST_ROUNDS,
            partial(run_load, [partial(chat.ask, 1)], FIRST_SECONDS),
            partial(run_load, [partial(follower.ask, 1)], FIRST_SECONDS),
        )
    part, entry = (1000 * percentile(each.firsts, 50) for each in (follower, chat))
    return Row(FIRST, part, "ms", entry)


@frozen
class Group:
    """Users of one protocol, for so many seconds in a round."""

    name: str
    what: Measured
    followers: Sequence[Follower]
    seconds: float = SECONDS

    async def ask(self) -> Load:
        """Have them all ask."""
        return await run_load(self._asking, self.seconds, self.what)

    async def warm_up(self) -> None:
        """Have some ask, so that all that is loaded once is there."""
        await run_load(self._asking[:4], WARM_UP_SECONDS)

    @property
    def _asking(self) -> list[Work]:
        return [partial(each.ask, PARTS) for each in self.followers]

    @property
    def told(self) -> "Told":
        """How much they were told by now."""
        names = attrs.fields_dict(Told)
        return Told(*(sum(getattr(each, name) for each in self.followers) for name in names))


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
    """What a group was told, and what that took."""

    name: str
    load: Load
    told: Told

    @property
    def parts(self) -> float:
        """Of all answers, in a second."""
        return self.told.parts / self.load.elapsed

    @property
    def cpu(self) -> float:
        """Milliseconds for an answer, without those who use it; ours with agent and router."""
        return sum(spent for part, spent in self.load.cpu().items() if part != LOAD)

    def rows(self) -> list[Row]:
        """The rows of one protocol, with what one answer costs."""
        name, told = self.name, self.told
        return [
            Row(f"{name}: parts", self.parts, "/s", cpu=self.load.cpu()),
            Row(f"{name}: frames", told.frames / self.load.elapsed, "/s"),
            Row(f"{name}: answers, p50", self.load.ms(50), "ms"),
            Row(f"{name}: answers before their last part", told.early, f"of {told.asked:,}"),
        ]


async def _in_turn(groups: Sequence[Group]) -> list[Measurement]:
    for group in groups:
        await group.warm_up()
    before = [group.told for group in groups]
    loads = await run_in_turn(ROUNDS, *(group.ask for group in groups))
    return [
        Measurement(group.name, load, group.told - told)
        for group, load, told in zip(groups, loads, before, strict=True)
    ]


@asynccontextmanager
async def _others(bench: Bench) -> AsyncIterator[Group]:
    """Users of aegra. Raises NotInstallableError."""
    version = install()
    with run_aegra(bench, LOG_LEVEL="WARNING") as aegra:
        async with threads_of(aegra, USERS) as threads:
            followers = [OnThread(each) for each in threads]
            yield Group(f"{USERS} users, aegra {version}", aegra, followers, ONCE)


@asynccontextmanager
async def over_sockets(one: Installation, users: int) -> AsyncIterator[list[OverSocket]]:
    """New users who each have a socket of the second protocol."""
    people = insert_people(one.system.settings, users)
    sessions = await open_sessions(one.system.gateway, people, protocol=PROTOCOL)
    yield [OverSocket(socket) for socket, _ in sessions]
    for socket, _ in sessions:
        socket.close()


@asynccontextmanager
async def over_completions(one: Installation, users: int) -> AsyncIterator[list[OverCompletions]]:
    """New users who each have a connection."""
    people = insert_people(one.system.settings, users)
    gateway = one.system.gateway
    followers = [OverCompletions(Events(gateway), each.token, CONFIG) for each in people]
    yield followers
    for each in followers:
        each.events.close()
