"""The row that the leader's term stands in, removed or restored while bridges run and while not."""

from typing import LiteralString

import pytest

from tests.agent_bridge.actors import connected_agent, until_active, until_inactive
from tests.agent_bridge.broken import keep_bridges, until_heard
from tests.agent_bridge.stored import execute, select
from tests.system import System
from tests.users import User

SECONDS = 5.0
LOSSES: dict[str, LiteralString] = {
    "removed": "DELETE FROM router_session",
    "restored without a term": "UPDATE router_session SET term = NULL",
    "restored with an older term": "UPDATE router_session SET term = gen_random_uuid()",
}


@pytest.mark.parametrize("loss", LOSSES)
async def test_agents_come_and_go_though_the_row_was_lost(
    running: System, owner: User, loss: str
) -> None:
    stays, leaves = [await owner.register_agent(name, "d") for name in ("stays", "leaves")]
    async with connected_agent(running, stays["jwt"]) as staying:
        async with connected_agent(running, leaves["jwt"]) as leaving:
            for agent, connection in ((stays, staying), (leaves, leaving)):
                await connection.register()
                await until_active(owner, agent["id"], SECONDS)
            execute(running, LOSSES[loss])
        # Heard before the row is made again, and stored all the same: the router is asked.
        comes = await owner.register_agent("comes", "d")
        async with connected_agent(running, comes["jwt"]) as coming:
            await coming.register("comes", "meanwhile")
            await until_inactive(owner, leaves["id"], SECONDS)
            await until_active(owner, comes["id"], SECONDS)
            await until_active(owner, stays["id"], SECONDS)
        await until_heard(running, owner, SECONDS)
    assert len(select(running, "SELECT term FROM router_session WHERE term IS NOT NULL")) == 1


async def test_a_bridge_that_starts_without_the_row_makes_it(running: System, owner: User) -> None:
    keep_bridges(running, 0)
    execute(running, LOSSES["removed"])
    keep_bridges(running, 1)
    await until_heard(running, owner, SECONDS)
    assert len(select(running, "SELECT FROM router_session")) == 1
