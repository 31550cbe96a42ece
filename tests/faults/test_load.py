"""Whatever dies under load: each message ends once, is invoked once at most, and is told once."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from attrs import frozen

from tests.faults.installation import Installation, run_installation
from tests.faults.load import Load, register_users
from tests.faults.plan import FAULTS, plan
from tests.users import User

SEEDS = [1, 2, 3]


@frozen
class Crowd:
    """Users, and where they chat."""

    installation: Installation
    users: list[User]


@pytest.fixture(scope="module")
async def crowd(anyio_backend: str) -> AsyncIterator[Crowd]:
    async with AsyncExitStack() as stack:
        installation = await stack.enter_async_context(run_installation("short_lease"))
        yield Crowd(installation, await register_users(stack, installation))


def test_the_seeds_try_every_fault() -> None:
    tried = {fault.name for seed in SEEDS for fault, _, _ in plan(seed)}
    assert tried == {fault.name for fault in FAULTS}


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_message_ends_once_whatever_dies(seed: int, crowd: Crowd) -> None:
    load = Load(crowd.installation, crowd.users, seed)
    ledger = await load.run()
    print(f"seed {seed}: {', '.join(load.faults)}\n{ledger}")
    assert ledger.wrongs == []
    assert ledger.answered > len(crowd.users)
    assert crowd.installation.ended_by_themselves == []
