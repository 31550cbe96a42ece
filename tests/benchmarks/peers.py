"""Chats beside another product: what is asked is answered by the smallest graph, which echoes.

The floor is how its documentation runs it in production, which logs each call and run; it is shown
too where it logs warnings only, as ours log no call either.
"""

from collections.abc import AsyncIterator
from functools import partial

from tests.benchmarks.aegra.running import (
    Aegra,
    NotInstallableError,
    install,
    run_aegra,
    threads_of,
)
from tests.benchmarks.aegra.users import Asker
from tests.benchmarks.chat import chatting
from tests.benchmarks.installation import LOAD, Bench, Installation
from tests.benchmarks.load import Load, run_in_turn, run_load
from tests.benchmarks.results import Row, Target, at_least, at_most

MANY = 64
SECONDS, ITS_SECONDS, ROUNDS = 1.5, 4.0, 3
ONE_SECONDS, ONE_ROUNDS = 1.0, 5
WARM_UP_SECONDS = 1.0

TARGETS: dict[str, Target] = {
    f"{MANY} users: answers": at_least(60, of_floor=True),
    "1 user: p50": at_most(0.1, of_floor=True),
}


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Answers a second of many users, and how long one waits; the floor is one of aegra."""
    try:
        version = install()
    except NotInstallableError as error:
        yield Row(f"no aegra here: {error}", 0, "answers")
        return
    one = bench.start()
    its = [
        bench.scenario.enter_context(each)
        for each in (run_aegra(bench), run_aegra(bench, LOG_LEVEL="WARNING"))
    ]
    names = f"aegra {version}", f"aegra {version} that logs less"
    for users, seconds, its_seconds, rounds in (
        (MANY, SECONDS, ITS_SECONDS, ROUNDS),
        (1, ONE_SECONDS, ONE_SECONDS, ONE_ROUNDS),
    ):
        await _warm_up(its)
        ours, *others = await run_in_turn(
            rounds,
            partial(_chat, one, users, seconds),
            *(partial(_ask, each, users, its_seconds) for each in its),
        )
        name = "1 user" if users == 1 else f"{users} users"
        yield Row(f"{name}: answers", ours.per_second, "/s", others[0].per_second, ours.cpu())
        yield Row(f"{name}: p50", ours.ms(50), "ms", others[0].ms(50))
        yield Row(f"{name}: CPU for each", _cpu(ours), "ms", _cpu(others[0]))
        for whose, load in zip(names, others, strict=True):
            yield Row(f"{name}, {whose}: answers", load.per_second, "/s", cpu=load.cpu())
            yield Row(f"{name}, {whose}: p50", load.ms(50), "ms")


async def _warm_up(its: list[Aegra]) -> None:
    """Have some ask, so that all that is loaded once is there."""
    for each in its:
        await _ask(each, 4, WARM_UP_SECONDS)


async def _chat(one: Installation, users: int, seconds: float) -> Load:
    async with chatting(one, users) as chats:
        return await run_load([chat.ask for chat in chats], seconds, one)


async def _ask(aegra: Aegra, users: int, seconds: float) -> Load:
    async with threads_of(aegra, users) as threads:
        return await run_load([Asker(each).ask for each in threads], seconds, aegra)


def _cpu(load: Load) -> float:
    """Milliseconds for an answer, without those who ask; ours with agent and router."""
    return sum(spent for part, spent in load.cpu().items() if part != LOAD)
