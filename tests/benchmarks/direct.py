"""An agent that is asked itself, in each protocol, by one user and by many at once.

Its floor is the same invocation straight through the router, with the three commits without which
no request is kept; and for MCP a bare server whose tool answers at once.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import attrs
from attrs import frozen

from devstack.processes import HOST, free_port, wait_until_ready
from tests.benchmarks.agents import agents_of
from tests.benchmarks.bare_tool import PATH, PORT, TOOL
from tests.benchmarks.callers import Callee, Caller, OverA2a, OverBareMcp, OverMcp, OverRest
from tests.benchmarks.floors import direct_floors
from tests.benchmarks.installation import Bench, Installation
from tests.benchmarks.load import Load, Work, run_in_turn, run_load
from tests.benchmarks.people import insert_people
from tests.benchmarks.results import Row, Target, at_least, at_most
from tests.system import read_status

USERS = (1, 16, 64)
SECONDS, WARM_UP_SECONDS, ROUNDS = 1.0, 0.3, 3
WAYS: tuple[type[Caller], ...] = (OverRest, OverMcp, OverA2a)
BARE, ALONE = "bare_tool", "the invocation alone"

TARGETS: dict[str, Target] = {
    "1 user, REST: p50": at_most(2.2, of_floor=True),
    "64 users, MCP against bare FastMCP: calls": at_least(0.5, of_floor=True),
}


@frozen
class Group:
    """Callers in one way, or a floor."""

    name: str
    work: Sequence[Work]


async def measure(bench: Bench) -> AsyncIterator[Row]:
    """Calls and how long they take, for each number of users and each way."""
    started = bench.start(has_doors=True)
    url, pid = _start_bare_tool(started)
    one = attrs.evolve(started, processes={**started.processes, BARE: [pid]})
    for users in USERS:
        loads = await _measure(one, url, users)
        for row in _rows("1 user" if users == 1 else f"{users} users", loads):
            yield row


def _start_bare_tool(one: Installation) -> tuple[str, int]:
    """Where a bare MCP server is, and its process; it ends with the installation."""
    port = free_port()
    url = f"http://{HOST}:{port}"
    child = one.system.start(BARE, "tests.benchmarks.bare_tool", {PORT: str(port)})
    wait_until_ready(child, lambda: read_status(f"{url}{PATH}") is not None)
    return url, child.pid


async def _measure(one: Installation, bare: str, users: int) -> dict[str, Load]:
    people = insert_people(one.system.settings, users)
    async with agents_of(one, people) as callees, AsyncExitStack() as stack:
        groups = [
            await stack.enter_async_context(_calling(way, one.system.gateway, callees))
            for way in WAYS
        ]
        tools = [attrs.evolve(callee, alias=TOOL) for callee in callees]
        groups.append(await stack.enter_async_context(_calling(OverBareMcp, bare, tools)))
        floors = direct_floors(one, [callee.id for callee in callees])
        alone, committing = await stack.enter_async_context(floors)
        groups += [Group("floor", committing), Group(ALONE, alone)]
        for group in groups:
            await run_load(group.work, WARM_UP_SECONDS)
        loads = await run_in_turn(
            ROUNDS, *(partial(run_load, group.work, SECONDS, one) for group in groups)
        )
    return {group.name: load for group, load in zip(groups, loads, strict=True)}


@asynccontextmanager
async def _calling(way: type[Caller], url: str, callees: Sequence[Callee]) -> AsyncIterator[Group]:
    async with way.calling(url, callees) as callers:
        yield Group(way.name, [caller.ask for caller in callers])


def _rows(users: str, loads: dict[str, Load]) -> list[Row]:
    floor, alone, bare = loads["floor"], loads[ALONE], loads[OverBareMcp.name]
    rows = []
    for way in WAYS:
        load, name = loads[way.name], f"{users}, {way.name}"
        rows += [
            Row(f"{name}: calls", load.per_second, "/s", floor.per_second, load.cpu()),
            Row(f"{name}: p50", load.ms(50), "ms", floor.ms(50)),
            Row(f"{name}: p99", load.ms(99), "ms", floor.ms(99)),
        ]
    mcp, rest = loads[OverMcp.name], loads[OverRest.name]
    against = f"{users}, {OverMcp.name} against {OverBareMcp.name}"
    return [
        *rows,
        Row(f"{users}, REST against {ALONE}: p50", rest.ms(50), "ms", alone.ms(50)),
        Row(f"{against}: calls", mcp.per_second, "/s", bare.per_second, bare.cpu()),
        Row(f"{against}: p50", mcp.ms(50), "ms", bare.ms(50)),
    ]
