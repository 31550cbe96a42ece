"""One bridge of two leads behind PgBouncer in transaction mode, whatever stops, dies or stalls."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from attrs import frozen

from devstack.processes import Child
from tests.agent_bridge.broken import freezing, living_bridges, until_heard
from tests.agent_bridge.stored import select
from tests.pooler import Pooler, run_pooler
from tests.shared.line import LineAside, run_line_aside
from tests.system import Stores, System
from tests.users import User, eventually, register_user

REPLACED_SECONDS = 5.0
LEADERS = "SELECT holder FROM leases WHERE name = 'router_session' AND expires_at > now()"


@frozen
class Pooled:
    """A system whose services reach PostgreSQL through a pooler, and that through a line."""

    system: System
    pooler: Pooler
    line: LineAside

    def start_bridge(self) -> Child:
        return self.system.start_bridge(POSTGRES_PORT=str(self.pooler.port))


@pytest.fixture(scope="module")
def pooled(stores: Stores) -> Iterator[Pooled]:
    with (
        TemporaryDirectory() as folder,
        run_line_aside(stores.postgres.port) as line,
        run_pooler(Path(folder), stores.postgres, line.port, default_pool_size="5") as pooler,
        stores.system() as system,
    ):
        system.start_router()
        system.start_gateway()
        yield Pooled(system, pooler, line)


@pytest.fixture
async def bridges(pooled: Pooled) -> AsyncIterator[list[Child]]:
    """Two of them; the first leads."""
    leader = pooled.start_bridge()
    await until_it_led(leader)
    yield [leader, pooled.start_bridge()]
    for child in living_bridges(pooled.system):
        child.kill()


@pytest.fixture
async def owner(pooled: Pooled) -> AsyncIterator[User]:
    """A user of a gateway that has no pooler."""
    async with register_user(pooled.system.gateway) as user:
        yield user


async def until_one_leads(pooled: Pooled, owner: User, seconds: float = REPLACED_SECONDS) -> None:
    async def does_one_lead() -> bool:
        return len(select(pooled.system, LEADERS)) == 1

    await eventually(does_one_lead, "one has the lease", seconds)  # the session stays meanwhile
    await until_heard(pooled.system, owner, seconds)


def terms(child: Child) -> int:
    """How often it began to lead."""
    return child.log.read_text().count("this bridge is the leader")


async def until_it_led(child: Child, times: int = 1) -> None:
    async def has_led() -> bool:
        return terms(child) >= times

    await eventually(has_led, f"{child.name} led", REPLACED_SECONDS)


async def test_a_killed_leader_is_replaced(
    pooled: Pooled, bridges: list[Child], owner: User
) -> None:
    bridges[0].kill()
    await until_it_led(bridges[1])
    await until_one_leads(pooled, owner)


async def test_a_leader_that_ends_in_good_order_is_replaced_at_once(
    pooled: Pooled, bridges: list[Child], owner: User
) -> None:
    [before] = select(pooled.system, LEADERS)
    await asyncio.to_thread(bridges[0].stop)
    assert before not in select(pooled.system, LEADERS)
    await until_one_leads(pooled, owner)


async def test_a_frozen_leader_is_replaced_and_steps_back(
    pooled: Pooled, bridges: list[Child], owner: User
) -> None:
    with freezing(bridges[0]):
        await until_it_led(bridges[1])
        await until_one_leads(pooled, owner)

    async def has_stepped_back() -> bool:
        return "this bridge is no longer the leader" in bridges[0].log.read_text()

    await eventually(has_stepped_back, "it steps back", REPLACED_SECONDS)
    await until_one_leads(pooled, owner)
    assert [terms(bridge) for bridge in bridges] == [1, 1]


@pytest.mark.parametrize("stalled", ["pooler", "postgresql"])
async def test_one_leads_again_once_what_stalled_goes_on(
    pooled: Pooled, bridges: list[Child], owner: User, stalled: str
) -> None:

    async def has_noticed() -> bool:
        return all("the leader's lease can't be had" in each.log.read_text() for each in bridges)

    if stalled == "pooler":
        with freezing(pooled.pooler.child):
            await eventually(has_noticed, "both notice", 2 * REPLACED_SECONDS)
    else:
        pooled.line.stall()
        await eventually(has_noticed, "both notice", 2 * REPLACED_SECONDS)
        pooled.line.mend()
    await until_one_leads(pooled, owner, 2 * REPLACED_SECONDS)


async def test_a_leader_whose_pooler_died_is_replaced_by_one_that_has_another_way(
    pooled: Pooled, owner: User, tmp_path: Path, stores: Stores
) -> None:
    with run_pooler(tmp_path, stores.postgres) as own:
        leader = pooled.system.start_bridge(POSTGRES_PORT=str(own.port))
        await until_it_led(leader)
        other = pooled.start_bridge()
        own.child.kill()
        await until_it_led(other)
        await until_one_leads(pooled, owner)
        for child in living_bridges(pooled.system):
            child.kill()
