"""Agents that come and go: who is who he says he is, and is connected."""

import asyncio
import logging
from typing import Any
from uuid import UUID

import asyncpg
from attrs import field, frozen
from databases import Database

from agent_bridge.agents import queries
from agent_bridge.router.frames import (
    MASTER_SERVER_BE,
    MASTER_SERVER_ML,
    AgentRegistered,
    read_identity,
)
from agent_bridge.router.lanes import LaneLostError, RouterAwayError, open_lane
from agent_bridge.router.session import AgentsSeen
from shared.domain.agents import (
    DETAILS_LIMIT,
    TOO_LARGE,
    details_size,
    make_alias,
    normalise_name,
)
from shared.postgres.pool import connect
from shared.settings.bridge import BridgeSettings
from shared.telemetry.seldom import warn_seldom
from shared.tokens import read_token

logger = logging.getLogger(__name__)

REFUSE_SECONDS = 5.0
REFUSALS_LIMIT = 32  # agents that are told at a time
DESCRIPTION_LIMIT = 8 * 1024  # characters; the rest is cut off
NAME_LIMIT = 255  # characters of an identity that is told
NOT_REGISTERED = "Agent ID was not registered before"
NOT_STORED = "The agent's name or description can't be stored"


@frozen
class Registration:
    """What an agent says of itself; whether its good token is the current one is not known yet."""

    agent_id: UUID
    owner: UUID
    token: str = field(repr=False)
    name: str
    description: str
    input_schema: dict[str, Any] = field(repr=False)
    size: int  # bytes


@frozen
class Refusal:
    """Somebody has registered with this id and was refused: he may have the agent's place."""

    agent_id: UUID


def describe(
    agent_id: UUID,
    owner: UUID,
    token: str,
    name: str,
    description: str,
    input_schema: dict[str, Any],
) -> Registration | None:
    """What is to be stored of an agent; None: it says too much."""
    description = description[:DESCRIPTION_LIMIT]
    size = details_size(description, input_schema)
    if size > DETAILS_LIMIT:
        return None
    return Registration(
        agent_id=agent_id,
        owner=owner,
        token=token,
        name=normalise_name(name),
        description=description,
        input_schema=input_schema,
        size=size,
    )


class Registry:
    """Keeps the agents' rows true, in the name of a leader's term."""

    def __init__(self, settings: BridgeSettings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._refusing: set[asyncio.Task[None]] = set()

    def verify(self, agent: AgentRegistered) -> Registration | Refusal | None:
        """What is to be stored of an agent; a refusal: its token is bad or it says too much.

        It is told so. None: refused too, but no agent has such an id. The router verifies nothing:
        whoever connects can claim to be any agent.
        """
        claims = read_token(self._settings.secret_key, agent.agent_jwt)
        if claims is None or str(claims.agent_id) != agent.agent_uuid:
            _log_token(agent.agent_uuid)
            self.refuse(agent.agent_uuid, NOT_REGISTERED)
            agent_id = read_identity(agent.agent_uuid)
            return None if agent_id is None else Refusal(agent_id)
        assert claims.agent_id is not None
        registration = describe(
            claims.agent_id,
            claims.user_id,
            agent.agent_jwt,
            agent.name,
            agent.description,
            agent.input_schema,
        )
        if registration is None:
            self.refuse(agent.agent_uuid, TOO_LARGE)
            return Refusal(claims.agent_id)
        return registration

    async def register(self, term: UUID, agent: Registration) -> bool:
        """Mark an agent active, or refuse it where its token is not current.

        Raises DatabaseAwayError.
        """
        reason = NOT_REGISTERED
        try:
            if await self._activate(term, agent):
                return True
            _log_token(str(agent.agent_id))
        except (asyncpg.DataError, asyncpg.ProgramLimitExceededError):
            logger.warning("what agent %s says of itself can't be stored", agent.agent_id)
            reason = NOT_STORED
        await self.doubt(term, agent.agent_id)
        self.refuse(str(agent.agent_id), reason)
        return False

    async def _activate(self, term: UUID, agent: Registration) -> bool:
        async with connect(self._database) as connection:
            return await queries.activate_agent(
                connection,
                term,
                agent.agent_id,
                agent.owner,
                agent.token,
                agent.name,
                make_alias(agent.name),
                agent.description,
                agent.input_schema,
            )

    async def unregister(self, term: UUID, agent_id: UUID) -> None:
        """Mark an agent inactive."""
        async with connect(self._database) as connection:
            await queries.deactivate_agent(connection, term, agent_id)

    async def doubt(self, term: UUID, agent_id: UUID) -> None:
        """Mark an agent inactive until it has registered well."""
        async with connect(self._database) as connection:
            await queries.doubt_agent(connection, term, agent_id)

    async def forget_all(self, term: UUID) -> None:
        """Mark all agents inactive: the router is gone, and with it they are."""
        async with connect(self._database) as connection:
            await queries.deactivate_all_agents(connection, term)

    async def update_presence(self, term: UUID, seen: AgentsSeen) -> None:
        """Mark agents as the router said that they are."""
        async with connect(self._database) as connection:
            changed = await queries.update_presence(connection, term, seen.present, seen.absent)
        if changed:
            logger.info("%d agents had come or gone unheard", changed)

    def refuse(self, agent_uuid: str, message: str) -> None:
        """Begin to tell an agent that it can't go on, unless it calls itself what no agent is."""
        if agent_uuid in {MASTER_SERVER_BE, MASTER_SERVER_ML} or not _is_name(agent_uuid):
            return
        if len(self._refusing) >= REFUSALS_LIMIT:
            logger.warning("too many agents are refused at once to tell each of them")
            return
        task = asyncio.create_task(_tell(self._settings, agent_uuid, message))
        self._refusing.add(task)
        task.add_done_callback(self._refusing.discard)


def _log_token(agent_uuid: str) -> None:
    """Where it comes from the router does not tell."""
    warn_seldom(logger, "an agent's token was refused", agent_id=agent_uuid[:NAME_LIMIT])


def _is_name(agent_uuid: str) -> bool:
    return agent_uuid.isascii() and agent_uuid.isprintable() and len(agent_uuid) <= NAME_LIMIT


async def _tell(settings: BridgeSettings, agent_uuid: str, message: str) -> None:
    """Tell a connected agent that it can't go on; both generations then stop."""
    error = {"error_message": message, "error_type": "AgentGeneralError"}
    try:
        async with asyncio.timeout(REFUSE_SECONDS):
            lane = await open_lane(settings, agent_uuid)
            try:
                # Ends when the agent has left: the router tells whoever has its id in the key.
                await lane.invoke(agent_uuid, error)
            finally:
                await lane.close()
    except (TimeoutError, LaneLostError, RouterAwayError) as fault:
        logger.warning("agent %r may not know that it has to stop: %r", agent_uuid, fault)
