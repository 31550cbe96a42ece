"""Installations with low bounds: a user of theirs, a master agent, and how far requests are.

Who imports the fixtures has an `own_system`, by `bounded_system` or of another kind.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.agent_bridge.stored import select
from tests.master import Invocation, Master, run_master
from tests.system import Stores, System
from tests.users import FRAME_SECONDS, User, connect_to, eventually, register_user

MOST_OPEN, MOST_STREAMS = 1, 2
LARGE = "x" * (12 * 1024 * 1024)  # more than all buffers between the two hold


@pytest.fixture(scope="module")
def bounded_system(stores: Stores) -> Iterator[System]:
    """A gateway with low bounds, which cuts off soon who takes nothing."""
    with stores.system(
        SOCKETS_PER_USER=str(MOST_STREAMS), OPEN_REQUESTS_PER_USER=str(MOST_OPEN)
    ) as system:
        system.start_router()
        system.start_gateway("hasty_streams")
        system.start_bridge()
        yield system


@pytest.fixture
async def own_user(own_system: System) -> AsyncIterator[User]:
    async with register_user(own_system.gateway) as user:
        await user.create_config()
        yield user


@pytest.fixture
async def own_master(own_system: System) -> AsyncIterator[Master]:
    async with run_master(own_system.router_url) as master:
        yield master


async def wait(_: Invocation) -> object:
    """Never answer."""
    return await asyncio.Event().wait()


def statuses(system: System, user: User) -> list[str]:
    """How far the user's requests are, the oldest first."""
    rows = select(
        system, "SELECT status FROM requests WHERE creator_id = %s ORDER BY position", user.id
    )
    return [row["status"] for row in rows]


async def until_statuses(system: System, user: User, *wanted: str) -> None:
    """Wait until the user's requests are so far."""

    async def holds() -> bool:
        return statuses(system, user) == [*wanted]

    await eventually(holds, f"the requests are {wanted}", FRAME_SECONDS)


async def until_idle(system: System) -> None:
    """Wait until the gateway has no stream open."""

    async def holds() -> bool:
        async with connect_to(system.metrics["gateway 1"]) as http:
            return "genai_streams_open 0.0" in (await http.get("")).text

    await eventually(holds, "no stream is open", FRAME_SECONDS)
