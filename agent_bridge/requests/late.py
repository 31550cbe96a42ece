"""Answers that come when their request is over: what they say of their usage is counted.

Nobody tells the master agent that a request was cancelled, or ran out of time. It goes on, and what
it asks of language models costs as much.
"""

import asyncio
import logging
from contextlib import AsyncExitStack

from attrs import frozen

from agent_bridge.requests.claim_queries import ClaimedRequest
from agent_bridge.requests.ending import Endings, outcome_of
from agent_bridge.router.frames import Rejection, Reply
from agent_bridge.router.lanes import LaneLostError
from agent_bridge.usage.metering import Model, with_usage
from shared.domain.usage import LateUsage

logger = logging.getLogger(__name__)

LATE_SECONDS = 300.0  # after the end of its request, that an answer is waited for
LATE_LIMIT = 64  # answers that are waited for so, each on its lane


@frozen
class Invoked:
    """What the master agent was asked, and still is at."""

    request: ClaimedRequest
    model: Model
    answer: "asyncio.Task[Reply | Rejection]"


class LateAnswers:
    """Waits for answers that nobody else waits for any more."""

    def __init__(self, endings: Endings) -> None:
        self._endings = endings
        self._waiting: set[asyncio.Task[None]] = set()

    async def take(self, invoked: Invoked, lane: AsyncExitStack) -> None:
        """Go on waiting for this one, and keep its lane as long; or end it, where many wait."""
        if len(self._waiting) >= LATE_LIMIT:
            invoked.answer.cancel()
            await asyncio.gather(invoked.answer, return_exceptions=True)
            return
        task = asyncio.create_task(self._wait(invoked, lane.pop_all()))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def close(self) -> None:
        """Wait no more."""
        await asyncio.sleep(0)  # who was just taken has begun, and gives its lane back
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    async def _wait(self, invoked: Invoked, lane: AsyncExitStack) -> None:
        request = invoked.request
        async with lane:
            try:
                async with asyncio.timeout(LATE_SECONDS):
                    reply = await invoked.answer
            except (TimeoutError, LaneLostError) as fault:
                logger.info("no late answer of request %s: %r", request.id, fault)
                return
        outcome = await with_usage(outcome_of(reply), invoked.model)
        if outcome.usage:
            await self._endings.count_late([LateUsage(request.id, request.claim_id, outcome.usage)])
