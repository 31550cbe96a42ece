"""Two gateways with low bounds that know their address, and a user of theirs who speaks MCP."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.agent_bridge.stored import select
from tests.master import Invocation, Master, answer, run_master
from tests.parts import Dictation
from tests.system import Stores, System
from tests.users import FRAME_SECONDS, Json, User, eventually, register_user

MOST_OPEN, MOST_STREAMS = 3, 3
PUBLIC_URL = "https://agents.example/genai"
ORIGIN = "https://pages.example"


@pytest.fixture(scope="module")
def own_system(stores: Stores) -> Iterator[System]:
    with stores.system(
        SOCKETS_PER_USER=str(MOST_STREAMS),
        OPEN_REQUESTS_PER_USER=str(MOST_OPEN),
        PUBLIC_URL=PUBLIC_URL,
        BACKEND_CORS_ORIGINS=f'["{ORIGIN}"]',
    ) as system:
        system.start_router()
        system.start_gateway()
        system.start_gateway()
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


@pytest.fixture
def dictation(own_master: Master) -> Dictation:
    """Says what a test dictates."""
    dictation = Dictation()
    own_master.behave = dictation.behave
    return dictation


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


async def say_at_once(_: Invocation) -> Json:
    """Answer."""
    return answer("at once")
