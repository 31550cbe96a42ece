"""Agents that were deleted at the gateway are told so, and stop.

Sure is, from the moment of the deletion, that the agent's token is dead everywhere, that it is
listed and called no more, and that nothing it logs is stored. That it stops at once is a courtesy:
the notification may be lost with Redis, or the router be away. Such an agent stays connected to the
router until it registers again, which is refused and told it.
"""

from agent_bridge.agents.registry import Registry
from shared.notifications.bus import Notifications
from shared.notifications.formats import DELETED_AGENTS, decode_deleted

DELETED = "The agent was deleted"


async def refuse_deleted_agents(notifications: Notifications, registry: Registry) -> None:
    """Tell deleted agents for ever.

    Every bridge does: telling one twice does no harm, and one that was never connected hears
    nothing.
    """
    async with notifications.subscribe(DELETED_AGENTS) as listener:
        while True:
            agent_id = decode_deleted(await listener.get())
            if agent_id is not None:
                registry.refuse(str(agent_id), DELETED)
