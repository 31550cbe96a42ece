"""Agents that come and go: who is who he says he is, and is connected."""

import asyncio
import logging

import asyncpg
from databases import Database

from agent_bridge import queries
from agent_bridge.router.frames import (
    MASTER_SERVER_BE,
    MASTER_SERVER_ML,
    AgentRegistered,
    AgentUnregistered,
    read_identity,
)
from agent_bridge.router.lanes import LaneLostError, RouterAwayError, open_lane
from shared.agents import DETAILS_LIMIT, is_too_large, make_alias, normalise_name
from shared.database import connect
from shared.settings import Settings
from shared.tokens import read_token

logger = logging.getLogger(__name__)

TELL_SECONDS = 5.0
TELLING_LIMIT = 32  # refused agents that are told at a time
DESCRIPTION_LIMIT = 8 * 1024  # characters; the rest is cut off
NAME_LIMIT = 255  # characters of an identity that is told
NOT_REGISTERED = "Agent ID was not registered before"
TOO_LARGE = f"The agent's description and schema must not have more than {DETAILS_LIMIT} bytes"
NOT_STORED = "The agent's name or description can't be stored"


class Registry:
    """Keeps the agents' rows true."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._telling: set[asyncio.Task[None]] = set()

    async def register(self, agent: AgentRegistered) -> None:
        """Mark an agent active if its token is good and it exists; tell it if not.

        The router verifies nothing: whoever connects can claim to be any agent.
        Raises DatabaseAwayError.
        """
        try:
            refusal = await self._refusal(agent)
        except (asyncpg.DataError, asyncpg.ProgramLimitExceededError):
            logger.warning("what agent %r says of itself can't be stored", agent.agent_uuid)
            refusal = NOT_STORED
        if refusal is not None:
            self.tell(agent.agent_uuid, refusal)

    async def unregister(self, gone: AgentUnregistered) -> None:
        """Mark an agent inactive. Most that is gone is no agent: lanes, calls between agents."""
        agent_id = read_identity(gone.agent_uuid)
        if agent_id is None:
            return
        async with connect(self._database) as connection:
            await queries.deactivate_agent(connection, agent_id)

    async def forget_all(self) -> None:
        """Mark all agents inactive: the router is gone, and with it they are."""
        async with connect(self._database) as connection:
            await queries.deactivate_all_agents(connection)

    def tell(self, agent_uuid: str, message: str) -> None:
        """Begin to tell an agent that it can't go on, unless it calls itself what no agent is."""
        if agent_uuid in {MASTER_SERVER_BE, MASTER_SERVER_ML} or not _is_name(agent_uuid):
            return
        if len(self._telling) >= TELLING_LIMIT:
            logger.warning("too many agents are refused at once to tell each of them")
            return
        task = asyncio.create_task(tell_agent(self._settings, agent_uuid, message))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _refusal(self, agent: AgentRegistered) -> str | None:
        claims = read_token(self._settings.secret_key, agent.agent_jwt)
        if claims is None or str(claims.agent_id) != agent.agent_uuid:
            return NOT_REGISTERED
        assert claims.agent_id is not None
        description = agent.description[:DESCRIPTION_LIMIT]
        if is_too_large(description, agent.input_schema):
            return TOO_LARGE
        name = normalise_name(agent.name)
        async with connect(self._database) as connection:
            stored = await queries.activate_agent(
                connection,
                claims.agent_id,
                claims.user_id,
                name,
                make_alias(name),
                description,
                agent.input_schema,
            )
        return None if stored else NOT_REGISTERED


def _is_name(agent_uuid: str) -> bool:
    return agent_uuid.isascii() and agent_uuid.isprintable() and len(agent_uuid) <= NAME_LIMIT


async def tell_agent(settings: Settings, agent_uuid: str, message: str) -> None:
    """Tell a connected agent that it can't go on; both generations then stop."""
    error = {"error_message": message, "error_type": "AgentGeneralError"}
    try:
        async with asyncio.timeout(TELL_SECONDS):
            lane = await open_lane(settings, agent_uuid)
            try:
                # Ends when the agent has left: the router tells whoever has its id in the key.
                await lane.invoke(agent_uuid, error)
            finally:
                await lane.close()
    except (TimeoutError, LaneLostError, RouterAwayError) as fault:
        logger.warning("agent %r may not know that it has to stop: %r", agent_uuid, fault)
