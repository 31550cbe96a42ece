"""Asking agents themselves: one, or those of a flow in turn, each with the text of the one before.

Past the master agent: without a model config.
"""

import asyncio
from time import monotonic

from databases import Database

from agent_bridge import metrics
from agent_bridge.requests.asked import Content, Trace, refusal, text_of
from agent_bridge.requests.asked_queries import mark_asked
from agent_bridge.requests.asking import Lanes, Sending
from agent_bridge.requests.claim_queries import ClaimedRequest
from agent_bridge.requests.compose import UnfitError
from agent_bridge.requests.ending import FAULTS, outcome_of_fault
from agent_bridge.requests.marked import Asked
from agent_bridge.requests.master import payload_size
from agent_bridge.router.frames import Rejection, Reply
from shared.codec.sizes import in_units
from shared.codec.text import read_json
from shared.domain.asked import AskedAgent, line_up
from shared.domain.endings import Outcome
from shared.postgres.pool import DatabaseAwayError, connect
from shared.process.batching import Batcher
from shared.settings.bridge import BridgeSettings
from shared.telemetry.tracing import span

TOGETHER = 8  # requests that one statement marks; the schemas of a flow's agents may have 6 MiB
EMPTY = "The agent gave an empty answer."  # front-ends draw "" as a tree of JSON


class AskedAgents:
    """Are asked at most once for each claim."""

    def __init__(
        self, settings: BridgeSettings, database: Database, lanes: Lanes, sending: Sending
    ) -> None:
        self._settings = settings
        self._database = database
        self._lanes = lanes
        self._sending = sending
        self._marks = Batcher(self._mark_all, TOGETHER, nobodys=(DatabaseAwayError,))

    async def ask(self, request: ClaimedRequest) -> Outcome | None:
        """Ask one after the other, until the request's deadline; None: the claim was lost.

        Raises DatabaseAwayError while nothing was sent.
        """
        trace = Trace()
        try:
            async with asyncio.timeout(request.remaining):
                agents = await self._mark(request)
                if agents is None:
                    return None
                outcome = await self._ask_in_turn(request, agents, trace)
        except FAULTS as fault:
            outcome = outcome_of_fault(fault)
        if outcome.error is None:
            await self._lanes.flush(request.id)
        return trace.conclude(outcome)

    async def _mark(self, request: ClaimedRequest) -> list[AskedAgent] | None:
        """Who is asked, when it is noted that they are; None: the claim is lost."""
        self._sending.claims.add(request.claim_id)
        with span("compose"):
            marked = request.marked if isinstance(request.marked, Asked) else None
            asked = marked or await self._marks.do(request)
        agents = line_up(asked.members, with_arguments=request.has_arguments)
        self._sending.composed[request.claim_id] = monotonic()
        return agents if asked.is_held else None

    async def _mark_all(self, requests: list[ClaimedRequest]) -> list[Asked]:
        async with connect(self._database) as connection:
            return await mark_asked(connection, requests)

    async def _ask_in_turn(
        self, request: ClaimedRequest, agents: list[AskedAgent], trace: Trace
    ) -> Outcome:
        said: str | Content = _arguments(request) if request.has_arguments else request.message
        text, whose = "", "The message"
        for agent in agents:
            content = trace.begin(agent, said)
            await self._make_fit(request, content, whose)
            reply = await self._call(request, agent, content)
            if isinstance(reply, Rejection):
                trace.end(reply)
                return refusal(agent, reply)
            said = text = text_of(agent, reply.response)
            whose = f"The answer of the agent {agent.alias}"
            trace.end(reply)
        return Outcome("answered", {"response": text or EMPTY})

    async def _make_fit(self, request: ClaimedRequest, content: Content, whose: str) -> None:
        """Wait until it is within the user's share. Raises UnfitError where it is too large.

        The agent would lose its connection by that, and all that it is at.
        """
        size, most = payload_size(content), self._settings.master_max_frame_bytes
        if size > most:
            raise UnfitError(f"{whose} can't be sent: an agent takes at most {in_units(most)}")
        await self._sending.pacing.wait(request.creator_id, size)

    async def _call(
        self, request: ClaimedRequest, agent: AskedAgent, content: Content
    ) -> Reply | Rejection:
        async with self._lanes.lend_to_agent(str(agent.id)) as lane:
            with span("invoke"), metrics.INVOCATION_SECONDS.time():
                ids = str(request.id), str(request.session_id)
                return await lane.invoke(str(agent.id), content, *ids)


def _arguments(request: ClaimedRequest) -> Content:
    """As a gateway has stored them."""
    arguments: Content = read_json(request.message)
    return arguments
