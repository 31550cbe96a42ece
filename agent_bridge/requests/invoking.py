"""Asking whoever a request is for, and what it means that there is no reply."""

import logging
from uuid import UUID

from databases import Database

from agent_bridge.requests.asking import Asking, Lanes, Sending
from agent_bridge.requests.asking_agents import AskedAgents
from agent_bridge.requests.asking_master import MasterAgent
from agent_bridge.requests.claim_queries import ClaimedRequest
from agent_bridge.requests.ending import FAULTS, Endings, outcome_of_fault
from agent_bridge.requests.late import LateAnswers
from shared.domain.endings import Outcome
from shared.postgres.pool import DatabaseAwayError
from shared.secrets import Vault
from shared.settings.bridge import BridgeSettings

logger = logging.getLogger(__name__)


class Invoker:
    """Asks the master agent, or the agents that are asked themselves, at most once for a claim."""

    def __init__(
        self,
        settings: BridgeSettings,
        database: Database,
        vault: Vault,
        lanes: Lanes,
        endings: Endings,
    ) -> None:
        sending, self._late = Sending(), LateAnswers(endings)
        self._lanes = lanes
        self._master: Asking = MasterAgent(settings, database, vault, lanes, sending, self._late)
        self._agents: Asking = AskedAgents(settings, database, lanes, sending)
        self.sent: set[UUID] = sending.claims
        """Claims that somebody may have been asked for; whoever began them takes them out."""
        self.composed: dict[UUID, float] = sending.composed
        """When what they are asked was ready; likewise."""

    async def find_outcome(self, request: ClaimedRequest) -> Outcome | None:
        """Ask; None: the claim was lost before anything was sent."""
        asking = self._master if request.asked_id is None else self._agents
        try:
            return await asking.ask(request)
        except FAULTS as fault:
            return outcome_of_fault(fault)
        except DatabaseAwayError as error:
            logger.warning("request %s goes back: %s", request.id, error)
            return None  # nothing was sent: the lease runs out and it is taken again

    async def close(self) -> None:
        """Close the lanes, when nothing runs any more; what comes late is not waited for."""
        await self._late.close()
        await self._lanes.close()
