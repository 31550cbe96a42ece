"""Asking the router who is connected, after a time in which nobody heard who came and went."""

import asyncio
import logging
import time
from collections.abc import Sequence
from itertools import batched
from uuid import UUID

from databases import Database

from agent_bridge.agents import queries
from agent_bridge.agents.presence import Presence, ask_presence
from agent_bridge.agents.queries import KnownAgent
from agent_bridge.router.frames import AgentRegistered, AgentUnregistered
from agent_bridge.router.lanes import RouterAwayError
from agent_bridge.router.session import AgentEvent, AgentsSeen, Put
from shared.postgres.pool import DatabaseAwayError, connect
from shared.settings.bridge import BridgeSettings

logger = logging.getLogger(__name__)

ASKED_LIMIT = 10_000  # agents: those taken for connected, then those that were lately
BATCH = 500  # agents whose answers are put at once
PAUSE_SECONDS = 2.0  # between two times: each connected agent prints a line for each
RETRY_SECONDS = 0.5


class Reconciliation:
    """Finds out who is connected, at the begin of each session."""

    def __init__(self, settings: BridgeSettings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._unheard: set[str] = set()
        self._not_before = 0.0

    def heard(self, event: AgentEvent) -> None:
        """Note who has come or gone by himself: that is newer than what is being asked."""
        if isinstance(event, AgentRegistered | AgentUnregistered):
            self._unheard.discard(event.agent_uuid)

    async def call(self, put: Put) -> None:
        """Ask about all agents and put what the router says, until it has said it of all."""
        await asyncio.sleep(max(0.0, self._not_before - time.monotonic()))
        while True:
            self._not_before = time.monotonic() + PAUSE_SECONDS
            try:
                return await self._ask(put, await self._select())
            except (DatabaseAwayError, RouterAwayError) as error:
                logger.warning("who is connected is not known yet: %s", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _select(self) -> list[KnownAgent]:
        async with connect(self._database) as connection:
            return await queries.select_known_agents(connection, ASKED_LIMIT)

    async def _ask(self, put: Put, agents: list[KnownAgent]) -> None:
        self._unheard = {str(agent.id) for agent in agents}
        for batch in batched(agents, BATCH):
            seen = await self._ask_twice(batch)
            present = self._unheard_of(seen.present)
            verified = present & {agent.id for agent in batch if agent.is_verified}
            put(AgentsSeen(present, self._unheard_of(seen.absent), verified))
        self._unheard = set()
        logger.info("the router was asked about %d agents", len(agents))

    def _unheard_of(self, agent_ids: frozenset[UUID]) -> frozenset[UUID]:
        return frozenset(agent_id for agent_id in agent_ids if str(agent_id) in self._unheard)

    async def _ask_twice(self, agents: Sequence[KnownAgent]) -> Presence:
        """Ask, and ask again about those that are to lose their state.

        An agent that was asked could forge a refusal of those after it. Asked again, on a
        connection whose key only those know who were refused, it has no place among them.
        """
        first = await ask_presence(self._settings, [agent.id for agent in agents])
        leaving = {agent.id for agent in agents if agent.is_active} & first.absent
        second = await ask_presence(self._settings, leaving)
        return Presence(first.present | second.present, first.absent - leaving | second.absent)
