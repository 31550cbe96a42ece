"""Two gateways and two bridges against one of each, on the same cores: what scaling out costs."""

from collections.abc import AsyncIterator
from functools import partial

from tests.benchmarks.chat import chatting
from tests.benchmarks.installation import Bench
from tests.benchmarks.load import run_in_turn, run_load
from tests.benchmarks.results import Row, Target, at_least, at_most

USERS = 64
SECONDS, ROUNDS = 3.0, 3

TARGETS: dict[str, Target] = {
    "two and two: chats": at_least(0.9, of_floor=True),
    "two and two: CPU per chat": at_most(1.2, of_floor=True),
}


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """The same load on both; the floor is one and one."""
    one, two = bench.start(), bench.start(pairs=2)
    async with chatting(one, USERS) as ones, chatting(two, USERS) as twos:
        single, double = await run_in_turn(
            ROUNDS,
            partial(run_load, [chat.ask for chat in ones], SECONDS, one),
            partial(run_load, [chat.ask for chat in twos], SECONDS, two),
        )
    cpu, least = double.cpu(), single.cpu()
    yield Row("two and two: chats", double.per_second, "/s", single.per_second, cpu)
    yield Row("two and two: p99", double.ms(99), "ms", single.ms(99))
    yield Row("two and two: CPU per chat", sum(cpu.values()), "ms", sum(least.values()))
    yield Row("one and one: chats", single.per_second, "/s", cpu=least)
