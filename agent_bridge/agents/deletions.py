"""Agents that were deleted at the gateway are told so, and stop.

Sure is, from the moment of the deletion, that the agent's token is dead everywhere, that it is
listed and called no more, and that nothing it logs is stored. That it stops at once is a courtesy:
the news may be lost with Redis, or the router be away. Such an agent stays connected to the router
until it registers again, which is refused and told it.
"""

from agent_bridge.agents.registry import Registry
from agent_bridge.router.frames import read_identity
from shared.notifications.bus import DELETED_AGENTS, News

DELETED = "The agent was deleted"


async def dismiss_agents(news: News, registry: Registry) -> None:
    """Tell deleted agents for ever.

    Every bridge does: telling one twice does no harm, and one that was never connected hears
    nothing.
    """
    async with news.subscribe(DELETED_AGENTS) as listener:
        while True:
            message = await listener.get()
            agent_uuid = (message or b"").decode(errors="replace")
            if read_identity(agent_uuid) is not None:
                registry.tell(agent_uuid, DELETED)
