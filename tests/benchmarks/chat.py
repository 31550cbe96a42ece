"""Chat round trips: one user, then more and more at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.benchmarks.against import Sides
from tests.benchmarks.filling import fill
from tests.benchmarks.floors import chat_floors
from tests.benchmarks.installation import Bench, Installation
from tests.benchmarks.load import Load, run_in_turn, run_load
from tests.benchmarks.people import Chat, Person, close_chats, insert_people, open_chats
from tests.benchmarks.plots import Panel, draw
from tests.benchmarks.report import FOLDER
from tests.benchmarks.results import Row, Target, at_least, at_most

USERS = (1, 4, 16, 64, 256)
OTHERS = 500  # users who have chatted before: what PostgreSQL plans for empty tables is no measure
SECONDS, FLOOR_SECONDS, ROUNDS = 2.0, 1.0, 2
USERS_AGAINST = (64, 1, 256)
SECONDS_AGAINST, ROUNDS_AGAINST = 1.0, 9

TARGETS: dict[str, Target] = {
    "1 user: p50": at_most(1.6, of_floor=True),
    "64 users: chats": at_least(200),
    "64 users: p99": at_most(1000),
    **{f"{users} users: CPU of all parts": at_most(1.2) for users in (64, 256)},
    "256 users against 64": at_least(0.8, of_floor=True),
}

AGAINST: dict[str, Target] = {
    "1 user: p50": at_most(0.7, of_floor=True),
    "64 users: chats": at_least(1.5, of_floor=True),
    "256 users: chats": at_least(1.5, of_floor=True),
}


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Throughput, latency and CPU for each number of users; draws the plots."""
    one, systems, floors = bench.start(), [], []
    await asyncio.to_thread(fill, one.system.settings, OTHERS)
    wanted = [users for users in USERS if bench.wants(_name(users))]
    for users in wanted:
        system, floor = await _measure(one, users)
        systems.append(system)
        floors.append(floor)
        for row in rows(_name(users), system, floor):
            yield row
    if wanted == [*USERS]:
        most, fewer = systems[-1].per_second, systems[-2].per_second
        yield Row("256 users against 64", most, "/s", fewer)
        _draw(systems, floors)


async def measure_against(bench: Bench, sides: Sides) -> AsyncIterator[Row]:
    """The same, beside another commit."""
    for side in (sides.now, sides.before):
        await asyncio.to_thread(fill, side.system.settings, OTHERS)
    for users in USERS_AGAINST:
        if not bench.wants(_name(users)):
            continue
        async with chatting(sides.now, users) as ours, chatting(sides.before, users) as theirs:
            beside = await sides.measure(
                [chat.ask for chat in ours],
                [chat.ask for chat in theirs],
                seconds=SECONDS_AGAINST,
                rounds=ROUNDS_AGAINST,
            )
        for row in beside.rows(_name(users), "chats"):
            yield row


def _name(users: int) -> str:
    return "1 user" if users == 1 else f"{users} users"


async def _measure(one: Installation, users: int) -> list[Load]:
    async with chatting(one, users) as chats, chat_floors(one, users) as floors:
        workers = [chat.ask for chat in chats]
        return await run_in_turn(
            ROUNDS,
            lambda: run_load(workers, SECONDS, one),
            lambda: run_load(floors, FLOOR_SECONDS),
        )


@asynccontextmanager
async def chatting(installation: Installation, users: int) -> AsyncIterator[list[Chat]]:
    """A chat of each of so many new users, spread over the gateways.

    Raises WrongAnswerError, at the end for what came unasked.
    """
    people = insert_people(installation.system.settings, users)
    async with chats_of(installation, people) as chats:
        yield chats


@asynccontextmanager
async def chats_of(
    installation: Installation, people: Sequence[Person]
) -> AsyncIterator[list[Chat]]:
    """A chat of each of these. Raises WrongAnswerError, as above."""
    gateways = installation.system.gateways
    chats = [
        chat
        for number, gateway in enumerate(gateways)
        for chat in await open_chats(gateway, people[number :: len(gateways)])
    ]
    await asyncio.gather(*(chat.ask() for chat in chats))  # so that each has been met once
    yield chats
    await close_chats(chats)


def rows(name: str, system: Load, floor: Load) -> list[Row]:
    """The rows of one number of users."""
    return [
        Row(f"{name}: chats", system.per_second, "/s", floor.per_second, system.cpu()),
        Row(f"{name}: p50", system.ms(50), "ms", floor.ms(50)),
        Row(f"{name}: p99", system.ms(99), "ms", floor.ms(99)),
        Row(f"{name}: CPU of all parts", sum(system.cpu().values()), "ms"),
    ]


def _draw(systems: Sequence[Load], floors: Sequence[Load]) -> None:
    latency = {
        "p50": [each.ms(50) for each in systems],
        "p99": [each.ms(99) for each in systems],
        "p50, floor": [each.ms(50) for each in floors],
        "p99, floor": [each.ms(99) for each in floors],
    }
    rate = {
        "chats": [each.per_second for each in systems],
        "floor": [each.per_second for each in floors],
    }
    spent = {part: [each.cpu()[part] for each in systems] for part in systems[0].spent}
    draw(
        FOLDER / "latency.svg",
        [Panel("round trip, milliseconds", USERS, latency, is_logarithmic=True)],
    )
    draw(
        FOLDER / "throughput.svg",
        [Panel("chats per second", USERS, rate), Panel("CPU ms per chat", USERS, spent)],
    )
