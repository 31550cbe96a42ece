"""Two gateways and two bridges against one of each, on the same cores: what scaling out costs.

With many users, and with fewer: there each of two does less at a time than one would, and what is
done at once for many costs each of them less.
"""

from collections.abc import AsyncIterator
from functools import partial

from tests.benchmarks.chat import chatting
from tests.benchmarks.installation import Bench, Installation
from tests.benchmarks.load import Load, run_in_turn, run_load
from tests.benchmarks.results import Row, Target, at_least, at_most

MANY, FEWER = 256, 64
SECONDS, ROUNDS = 1.5, 7

TARGETS: dict[str, Target] = {
    f"two and two, {MANY} users: chats": at_least(0.9, of_floor=True),
    f"two and two, {MANY} users: CPU per chat": at_most(1.2, of_floor=True),
    f"two and two, {FEWER} users: chats": at_least(0.92, of_floor=True),
    f"two and two, {FEWER} users: CPU per chat": at_most(1.15, of_floor=True),
}


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """The same load on both; the floor is one and one."""
    one, two = bench.start(), bench.start(pairs=2)
    for users in (MANY, FEWER):
        name = f"two and two, {users} users"
        if not bench.wants(name):
            continue
        single, double = await _measure(one, two, users)
        cpu, least = double.cpu(), single.cpu()
        yield Row(f"{name}: chats", double.per_second, "/s", single.per_second, cpu)
        yield Row(f"{name}: p99", double.ms(99), "ms", single.ms(99))
        yield Row(f"{name}: CPU per chat", sum(cpu.values()), "ms", sum(least.values()))
        yield Row(f"one and one, {users} users: chats", single.per_second, "/s", cpu=least)


async def _measure(one: Installation, two: Installation, users: int) -> list[Load]:
    async with chatting(one, users) as ones, chatting(two, users) as twos:
        return await run_in_turn(
            ROUNDS,
            partial(run_load, [chat.ask for chat in ones], SECONDS, one),
            partial(run_load, [chat.ask for chat in twos], SECONDS, two),
        )
