"""What is the same whoever is asked: the master agent, or agents themselves."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol
from uuid import UUID

from attrs import field, frozen

from agent_bridge.requests.claim_queries import ClaimedRequest
from agent_bridge.requests.pacing import Pacing
from agent_bridge.router.frames import Rejection, Reply
from shared.domain.endings import Outcome


class Asking(Protocol):
    """Asks somebody at most once for each claim."""

    async def ask(self, request: ClaimedRequest, /) -> Outcome | None:
        """Ask, and wait; None: the claim was lost before anything was sent.

        May raise one of FAULTS, and DatabaseAwayError while nothing was sent.
        """


@frozen
class Sending:
    """What is sent here."""

    pacing: Pacing = field(factory=Pacing)
    claims: set[UUID] = field(factory=set)
    """Those of which something may have been sent; whoever began them takes them out."""
    composed: dict[UUID, float] = field(factory=dict)
    """When what is sent was ready, by claim and by the clock of this process; likewise."""


class Lane(Protocol):
    """Carries one request at a time to the master agent, or to an agent."""

    async def invoke(
        self, agent_uuid: str, payload: dict[str, Any], request_id: str, session_id: str, /
    ) -> Reply | Rejection:
        """Wait for an answer, for ever. Raises LaneLostError."""


class Lanes(Protocol):
    """Lend lanes."""

    def lend(self, owner: UUID, /) -> AbstractAsyncContextManager[Lane]:
        """For one request of this user. Raises RouterAwayError."""

    def lend_to_agent(self, agent_id: str, /) -> AbstractAsyncContextManager[Lane]:
        """For one call of this agent, and no other. Raises RouterAwayError."""

    async def flush(self, request_id: UUID, /) -> None:
        """Wait until what was logged about a request before its answer is stored."""

    async def close(self) -> None:
        """Close all, when nothing runs any more."""
