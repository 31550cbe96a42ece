"""What is behind a door, for all who are connected there."""

import logging
from uuid import UUID

import asyncpg
from attrs import frozen
from databases import Database

from agent_bridge.agents.registry import NOT_REGISTERED, NOT_STORED, Registration, describe
from agent_bridge.doors import queries
from agent_bridge.doors.admission import AgentVisitor, MasterVisitor
from agent_bridge.doors.frames import Described
from agent_bridge.doors.seals import Seals
from agent_bridge.intake.inbox import LogInbox
from agent_bridge.router.frames import MASTER_SERVER_BE, MASTER_SERVER_ML
from shared.domain.agents import TOO_LARGE
from shared.postgres.pool import connect
from shared.settings.bridge import BridgeSettings

logger = logging.getLogger(__name__)


@frozen
class Behind:
    """Where log entries go, who is known, and the keys that are shown to the router."""

    settings: BridgeSettings
    database: Database
    logs: LogInbox
    seals: Seals

    @property
    def shown_names(self) -> dict[str, str]:
        """What agents see in place of keys."""
        settings = self.settings
        assert settings.master_agent_api_key is not None
        return {
            settings.master_be_api_key: MASTER_SERVER_BE,
            settings.master_agent_api_key: MASTER_SERVER_ML,
        }

    def headers_of(self, visitor: AgentVisitor | MasterVisitor) -> dict[str, str]:
        """What makes a connection to the router this visitor's."""
        if isinstance(visitor, AgentVisitor):
            return {"X-Custom-Authorization": visitor.token}
        assert self.settings.master_agent_api_key is not None
        return {"API-KEY": self.settings.master_agent_api_key}

    async def describe(
        self, connection_id: UUID, visitor: AgentVisitor, described: Described
    ) -> str | None:
        """Store what an agent says of itself; or why it has to stop. Raises DatabaseAwayError."""
        registration = describe(
            visitor.agent_id,
            visitor.owner,
            visitor.token,
            described.name,
            described.description,
            described.input_schema,
        )
        if registration is None:
            return TOO_LARGE
        return await self._activate(connection_id, registration)

    async def _activate(self, connection_id: UUID, agent: Registration) -> str | None:
        try:
            async with connect(self.database) as connection:
                stands = await queries.activate(connection, connection_id, agent)
        except (asyncpg.DataError, asyncpg.ProgramLimitExceededError):
            logger.warning("what agent %s says of itself can't be stored", agent.agent_id)
            return NOT_STORED
        return None if stands else NOT_REGISTERED
