"""What the tests of faults share: a router and a gateway, and bridges that each test chooses."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.agent_bridge.broken import keep_bridges
from tests.system import System
from tests.users import User, register_user


@pytest.fixture(scope="module")
def stage(module_system: System) -> System:
    """A router and a gateway that stay; the gateway is the first."""
    module_system.start_gateway()
    return module_system


@pytest.fixture
def bare_stage(stage: System) -> Iterator[System]:
    """The same without any bridge; those that the test starts end with it."""
    keep_bridges(stage, 0)
    yield stage
    keep_bridges(stage, 0)


@pytest.fixture
async def asker(stage: System) -> AsyncIterator[User]:
    """A user at the gateway that stays."""
    async with register_user(stage.gateway) as user:
        await user.create_config()
        yield user
