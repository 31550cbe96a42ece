"""Parts of a system that are killed and replaced, and whether the rest has noticed."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from devstack.processes import Child
from tests.agent_bridge.actors import connected_agent, is_active
from tests.system import System
from tests.users import User, eventually


def living_bridges(system: System) -> list[Child]:
    """The bridges that run, the oldest first."""
    return [
        child
        for name, child in system.children.items()
        if name.startswith("bridge") and not child.has_ended
    ]


def keep_router(system: System) -> None:
    """Have a router, which a test before may have killed."""
    if system.children["router"].has_ended:
        system.start_router()


def keep_bridges(system: System, count: int, **overrides: str) -> None:
    """Have so many bridges; with settings of their own, all of them new."""
    for child in living_bridges(system)[0 if overrides else count :]:
        child.kill()
    for _ in range(count - len(living_bridges(system))):
        system.start_bridge(**overrides)


@contextmanager
def freezing(child: Child) -> Iterator[None]:
    """Stop a process in the block; afterwards it goes on as if nothing had been."""
    child.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        child.process.send_signal(signal.SIGCONT)


async def until_heard(system: System, owner: User, seconds: float) -> None:
    """Wait until the bridge hears a registration; agents say it once, so this one repeats it."""
    agent = await owner.register_agent("knocks", "until it is heard")

    async def is_heard() -> bool:
        async with connected_agent(system, agent["jwt"]) as connection:
            await connection.register("knocks", "until it is heard")
            await asyncio.sleep(0.1)
            return await is_active(owner, agent["id"])

    await eventually(is_heard, "the bridge hears the router", seconds)
