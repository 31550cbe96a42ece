"""Chats whose master agent logs: entries stored and delivered, in order and before their answer."""

from collections.abc import AsyncIterator
from functools import partial
from uuid import uuid4

from tests.benchmarks.against import Sides
from tests.benchmarks.chat import chatting
from tests.benchmarks.floors import Pool, commit_pool
from tests.benchmarks.installation import Bench
from tests.benchmarks.load import Work, run_in_turn, run_load
from tests.benchmarks.results import Row, Target, at_least

WARM_UP_SECONDS, SECONDS, FLOOR_SECONDS, ROUNDS = 1.0, 2.0, 1.0, 2
SECONDS_AGAINST, ROUNDS_AGAINST = 1.0, 7
TEXT = f"0 of 10 {uuid4()} 1"  # as long as what the stub logs

# How many users there are at once, and how many entries each of their requests has.
LOADS = {"10 logs a request": (64, 10), "100 logs a request": (16, 100)}
TARGETS: dict[str, Target] = {name: at_least(0.3, of_floor=True) for name in LOADS}
AGAINST: dict[str, Target] = {f"{name}: entries": at_least(2, of_floor=True) for name in LOADS}

SELECT_BATCH = """
    SELECT count(*) / count(DISTINCT xmin::text), (SELECT creator_id FROM requests LIMIT 1)
    FROM logs
"""
INSERT = """
    INSERT INTO logs (session_id, request_id, agent_id, creator_id, message, log_level, seq)
    SELECT $1, $1, 'master_server_ml', $2, $3, 'info', number
    FROM generate_series(1, $4::bigint) AS number
"""


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Entries per second; the floor inserts as many rows at once as the bridge did, alone."""
    one = bench.start(LOG_ENTRIES_PER_AGENT="0")  # a fast machine logs more than one agent may
    for name, users, logs in _wanted(bench):
        async with chatting(one, users) as chats, commit_pool(one) as pool:
            await pool.execute("TRUNCATE logs")
            workers = [partial(chat.ask, logs) for chat in chats]
            await run_load(workers, WARM_UP_SECONDS)
            batch, insert = await _inserting(pool)
            system, floor = await run_in_turn(
                ROUNDS,
                partial(run_load, workers, SECONDS, one),
                partial(run_load, [insert], FLOOR_SECONDS),
            )
        rate, floor_rate = logs * system.per_second, batch * floor.per_second
        yield Row(name, rate, "/s", floor_rate, system.cpu(of_each=logs))
        yield Row(f"{name}: stored at once", batch, "rows")
        early, asked = (sum(getattr(chat, each) for chat in chats) for each in ("early", "asked"))
        yield Row(f"{name}: answers before their last entry", early, f"of {asked:,}")


async def measure_against(bench: Bench, sides: Sides) -> AsyncIterator[Row]:
    """The same, beside another commit."""
    for name, users, logs in _wanted(bench):
        async with chatting(sides.now, users) as ours, chatting(sides.before, users) as theirs:
            work = [[partial(chat.ask, logs) for chat in chats] for chats in (ours, theirs)]
            for workers in work:
                await run_load(workers, WARM_UP_SECONDS)
            beside = await sides.measure(*work, seconds=SECONDS_AGAINST, rounds=ROUNDS_AGAINST)
        for row in beside.rows(name, "entries", logs):
            yield row


def _wanted(bench: Bench) -> list[tuple[str, int, int]]:
    return [(name, *load) for name, load in LOADS.items() if bench.wants(name)]


async def _inserting(pool: Pool) -> tuple[int, Work]:
    """How many entries were stored at once, and work that stores as many."""
    [[batch, owner]] = await pool.fetch(SELECT_BATCH)

    async def insert() -> None:
        await pool.execute(INSERT, uuid4(), owner, TEXT, batch)

    return batch, insert
