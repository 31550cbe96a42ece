"""Which tools there are."""

import pytest

from gateway.mcpserver import tools
from shared.postgres.pool import connect
from tests.gateway.streams.test_targets import TEXT, Owner, alias, owner

__all__ = ["owner"]  # fixture


async def test_schemas_that_flows_share_are_listed_only_so_often(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await owner.add_agent(alias("agent"), {**TEXT, "title": "x" * 1000})
    flows = [alias("flow") for _ in range(3)]
    for each in flows:
        await owner.add_flow(each, agent)
    monkeypatch.setattr(tools, "FLOWS_BYTES_LIMIT", 3000)
    async with connect(owner.database) as connection:
        names = [tool["name"] for tool in await tools.list_tools(connection, owner.id)]
    assert names[:-1] == ["ask", flows[2], flows[1]]
    assert names[-1].startswith("agent_")
