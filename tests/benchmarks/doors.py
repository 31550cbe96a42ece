"""Agents that come in through the doors of bridges, beside agents that are at the router.

The master agent has each chat's entries logged by an agent of its user, and answers when that has.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from tests.benchmarks.agents import agents_of
from tests.benchmarks.chat import chats_of, chatting
from tests.benchmarks.installation import LOAD, STUB, Bench, Installation
from tests.benchmarks.load import Load, run_in_turn, run_load
from tests.benchmarks.people import Chat, WrongAnswerError, insert_people
from tests.benchmarks.results import Row, Target, at_least, at_most
from tests.sql import run_sql

WARM_UP_SECONDS, SECONDS = 1.0, 2.0
LOGS, LOGGING = 100, 16  # entries of a request, and users at once
LOG_ROUNDS, CHAT_ROUNDS = 4, 8
CHATTING = (64, 1)  # users at once
ROUTER, ONE, TWO, FOUR = "router", "1 door", "2 doors", "4 doors"
UNBOUNDED = "0"  # entries of an agent in a second

COUNTED = "early", "asked"
SELECT_STORED = "SELECT count(*) FROM logs"

TARGETS: dict[str, Target] = {
    **{f"{ONE}, {users} users: CPU per chat": at_most(1.05, of_floor=True) for users in CHATTING},
    f"{ONE}: log entries": at_least(2, of_floor=True),
    f"{TWO}: CPU per entry": at_most(0.6, of_floor=True),
    f"{TWO} against one: log entries": at_least(1.6, of_floor=True),
    **{f"{name}: answers before their last entry": at_most(0) for name in (ONE, TWO, FOUR)},
}


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Chats without entries, then entries through one door and more; the floor is the router."""
    places = {
        ROUTER: bench.start(LOG_ENTRIES_PER_AGENT=UNBOUNDED),
        ONE: bench.start(has_doors=True, LOG_ENTRIES_PER_AGENT=UNBOUNDED),
    }
    for users in CHATTING:
        async for row in _measure_chats(users, *places.values()):
            yield row
    for name, doors in ((TWO, 2), (FOUR, 4)):
        places[name] = bench.start(bridges=doors, has_doors=True, LOG_ENTRIES_PER_AGENT=UNBOUNDED)
    async for row in _measure_entries(places):
        yield row


async def _measure_chats(users: int, router: Installation, one: Installation) -> AsyncIterator[Row]:
    async with chatting(router, users) as floors, chatting(one, users) as chats:
        floor, load = await run_in_turn(
            CHAT_ROUNDS,
            partial(run_load, [chat.ask for chat in floors], SECONDS, router),
            partial(run_load, [chat.ask for chat in chats], SECONDS, one),
        )
    name = f"{ONE}, {users} users"
    yield Row(f"{name}: chats", load.per_second, "/s", floor.per_second, load.cpu())
    yield Row(f"{name}: p50", load.ms(50), "ms", floor.ms(50))
    yield Row(f"{name}: CPU per chat", _all(load.cpu()), "ms", _all(floor.cpu()))
    yield Row(f"{ROUTER}, {users} users: chats", floor.per_second, "/s", cpu=floor.cpu())


async def _measure_entries(places: Mapping[str, Installation]) -> AsyncIterator[Row]:
    async with AsyncExitStack() as stack:
        chats = {
            name: await stack.enter_async_context(_logging(place)) for name, place in places.items()
        }
        measured = await run_in_turn(
            LOG_ROUNDS,
            *(partial(_log, chats[name], SECONDS, place) for name, place in places.items()),
        )
    loads = dict(zip(places, measured, strict=True))
    rates = {name: LOGS * load.per_second for name, load in loads.items()}
    spent = {name: load.cpu(of_each=LOGS) for name, load in loads.items()}
    for name in places:
        floor = None if name == ROUTER else rates[ROUTER]
        yield Row(f"{name}: log entries", rates[name], "/s", floor, spent[name])
        yield Row(f"{name}: CPU per entry", _all(spent[name]), "ms", floor and _all(spent[ROUTER]))
        early, asked = (sum(getattr(each, what) for each in chats[name]) for what in COUNTED)
        yield Row(f"{name}: answers before their last entry", early, f"of {asked:,}")
    yield Row(f"{TWO} against one: log entries", rates[TWO], "/s", rates[ONE])


async def _log(chats: list[Chat], seconds: float, place: Installation) -> Load:
    return await run_load([partial(chat.ask, LOGS) for chat in chats], seconds, place)


@asynccontextmanager
async def _logging(place: Installation) -> AsyncIterator[list[Chat]]:
    """Chats of users with an agent each. Raises WrongAnswerError, also for entries not stored."""
    settings = place.system.settings
    people = insert_people(settings, LOGGING)
    async with agents_of(place, people), chats_of(place, people) as chats:
        await _log(chats, WARM_UP_SECONDS, place)
        yield chats
        with run_sql(settings) as sql:
            [[stored]] = [row.values() for row in sql(SELECT_STORED)]
        if stored != LOGS * (sum(chat.asked for chat in chats) - LOGGING):
            raise WrongAnswerError(f"{stored} entries are stored")


def _all(spent: Mapping[str, float]) -> float:
    """What the installation has spent, without those who use it."""
    return sum(each for name, each in spent.items() if name not in {STUB, LOAD})
