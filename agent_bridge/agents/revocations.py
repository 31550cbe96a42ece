"""Agents whose token has ended at the gateway, or whose user is locked out, are told so, and stop.

Sure is, from the moment at which an agent was deleted or has a new token, that the one it had is
dead everywhere; that a deleted one is listed and called no more, and nothing it logs is stored;
that one with a new token is inactive. That it stops at once is a courtesy: the notification may be
lost with Redis, or the router be away. Such an agent stays connected to the router until it
registers again, which is refused and told it; and a leader who asks the router meanwhile who is
connected takes it for active, for the router does not say by which token. One whose token expires
while it is connected stays as long. Those of a user who is locked out are inactive within a second,
also without Redis, and until they have registered again.

Of those who came through a door `agent_bridge.doors.keeping` knows better.
"""

import asyncio
import logging
from uuid import UUID

from databases import Database

from agent_bridge.agents import queries
from agent_bridge.agents.registry import Registry
from shared.notifications.bus import Notifications
from shared.notifications.channels import REVOKED_TOKENS
from shared.notifications.formats import decode_revoked
from shared.postgres.pool import DatabaseAwayError, connect

logger = logging.getLogger(__name__)

DELETED = "The agent was deleted"
RENEWED = "The agent was given a new token"
LOCKED = "The agent's user is locked out"
LOOK_SECONDS = 1.0


async def refuse_revoked_agents(
    notifications: Notifications, database: Database, registry: Registry
) -> None:
    """Tell agents whose token has ended for ever.

    Every bridge does: telling one twice does no harm, and one that was never connected hears
    nothing.
    """
    async with notifications.subscribe(REVOKED_TOKENS) as listener:
        while True:
            agent_id = decode_revoked(await listener.get())
            if agent_id is None:
                continue
            try:
                reason = await _find_reason(database, agent_id)
            except DatabaseAwayError as error:
                logger.warning(
                    "agent %s may not know that its token has ended: %s", agent_id, error
                )
                continue
            if reason is not None:
                registry.refuse(str(agent_id), reason)


async def refuse_agents_of_locked(database: Database, registry: Registry) -> None:
    """Tell agents whose user was just locked out, for ever; the bridge that notes it tells it."""
    while True:
        try:
            async with connect(database) as connection:
                agent_ids = await queries.doubt_agents_of_locked(connection)
        except DatabaseAwayError as error:
            logger.warning("agents of users who are locked out are not looked for: %s", error)
            agent_ids = []
        for agent_id in agent_ids:
            registry.refuse(str(agent_id), LOCKED)
        await asyncio.sleep(LOOK_SECONDS)


async def _find_reason(database: Database, agent_id: UUID) -> str | None:
    """Why whoever is connected as this agent is to stop, or None: he has its current token.

    A new token makes an agent inactive, and only a registration with it makes it active again, so
    one that came back before the notification did is left alone. What can't be known here: the
    router tells whoever holds the identity, so one that comes back between this question and the
    telling, or whose registration is not stored yet, is told too, and has to be started again.
    """
    async with connect(database) as connection:
        is_active = await queries.select_is_active(connection, agent_id)
    if is_active is None:
        return DELETED
    return None if is_active else RENEWED
