"""The end of a request here: by what the router or who was asked said or did not say, stored and
told, with others where there are some, or given back."""

import asyncio
import logging
from collections.abc import Awaitable
from uuid import UUID

from databases import Database

from agent_bridge.requests import claim_queries
from agent_bridge.requests.claim_queries import ClaimedRequest
from agent_bridge.requests.compose import UnfitError
from agent_bridge.router.frames import NOT_ACTIVE, UNREGISTERED, Rejection, Reply
from agent_bridge.router.lanes import LaneLostError, RouterAwayError
from shared.domain.asked import NotAskableError
from shared.domain.endings import Ended, Ending, OpenRequest, Outcome, end_requests, failed
from shared.domain.frames import answer_from
from shared.domain.usage import LateUsage, add_late_usage
from shared.notifications.bus import Notifications
from shared.notifications.channels import WAITING_REQUESTS
from shared.notifications.formats import encode_waiting
from shared.postgres.pool import DatabaseAwayError, connect
from shared.process.batching import Batcher

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
TOGETHER = 32  # requests that one statement ends

ROUTER_AWAY = "The router can't be reached, please try again later"
MASTER_AWAY = "The master agent is not connected, please try again later"
MASTER_LEFT = "The master agent left before the answer came"
CONNECTION_LOST = "The connection to the router was lost before the answer came"
INTERRUPTED = "The request was interrupted before the answer came"
TIMED_OUT = "The answer did not come in time"
INTERNAL = "The request failed because of an internal error"

FAULTS = (UnfitError, NotAskableError, RouterAwayError, LaneLostError, TimeoutError)
"""Why there is no reply at all."""


def outcome_of_fault(fault: Exception) -> Outcome:
    """What a request ends with that got no reply."""
    match fault:
        case RouterAwayError():
            return failed(ROUTER_AWAY)
        case LaneLostError():
            return failed(CONNECTION_LOST, "interrupted")
        case TimeoutError():
            return failed(TIMED_OUT, "timed_out")
    return failed(str(fault))


def outcome_of(reply: Reply | Rejection) -> Outcome:
    """What the master agent's reply ends its request with."""
    if isinstance(reply, Reply):
        return Outcome("answered", answer_from(reply.response), reply.execution_time)
    if reply.message == UNREGISTERED:
        return failed(MASTER_LEFT, "interrupted", reply.execution_time)
    reason = MASTER_AWAY if reply.message == NOT_ACTIVE else reply.message
    return failed(reason or INTERNAL, execution_time=reply.execution_time)


class Endings:
    """Ends requests exactly once: whoever comes second, here or elsewhere, ends nothing."""

    def __init__(self, database: Database, notifications: Notifications) -> None:
        self._database = database
        self._notifications = notifications
        self._batcher = Batcher(self.end_now, TOGETHER, nobodys=(DatabaseAwayError,))

    async def end(self, request: ClaimedRequest, outcome: Outcome) -> Ended | None:
        """Store the ending and tell of it; an answer waits here until PostgreSQL takes it.

        First together with others, then alone: none waits for another one's locked session twice.
        None: it had ended already.
        """
        ending = Ending(_as_claimed(request), outcome)
        work: Awaitable[Ended | None] = self._batcher.do(ending)
        while True:
            try:
                return await work
            except DatabaseAwayError as error:
                logger.warning("the answer of request %s waits: %s", request.id, error)
                await asyncio.sleep(RETRY_SECONDS)
                work = self._end_alone(ending)

    async def _end_alone(self, ending: Ending) -> Ended | None:
        [ended] = await self.end_now([ending])
        return ended

    async def end_now(self, endings: list[Ending]) -> list[Ended | None]:
        """End these with one statement; None for those that had ended. Raises DatabaseAwayError."""
        async with connect(self._database) as connection:
            ended = await end_requests(connection, self._notifications, endings)
        refused = [each for each, end in zip(endings, ended, strict=True) if end is None]
        for ending in refused:
            logger.info("request %s had ended already", ending.request.id)
        await self.count_late(
            [
                LateUsage(each.request.id, each.request.claim_id, each.outcome.usage)
                for each in refused
                if each.outcome.usage
            ]
        )
        return ended

    async def count_late(self, late: list[LateUsage]) -> None:
        """Count what was used for requests that ended without it; lost while PostgreSQL is away."""
        if not late:
            return
        try:
            async with connect(self._database) as connection:
                await add_late_usage(connection, late)
        except DatabaseAwayError as error:
            ids = ", ".join(str(each.request_id) for each in late)
            logger.warning("what was used for requests is not counted: %s: %s", ids, error)

    async def give_back(self, request: ClaimedRequest, *, is_unsent: bool) -> None:
        """On the way out: what was never sent goes back, the rest is interrupted."""
        interrupted = failed(INTERRUPTED, "interrupted")
        try:
            if not await self.release(request.id, request.claim_id, is_unsent=is_unsent):
                await self.end_now([Ending(_as_claimed(request), interrupted)])
        except DatabaseAwayError as error:
            logger.warning("request %s is left to the other bridges: %s", request.id, error)

    async def release(
        self, request_id: UUID, claim_id: UUID | None, *, is_unsent: bool = False
    ) -> bool:
        """Give a request back; False: it was sent, or has ended. Raises DatabaseAwayError.

        The mark tells whether it was sent, where it is not known that it was not: `is_unsent`.
        """
        async with connect(self._database) as connection:
            released = await claim_queries.release_request(
                connection, claim_id, is_unsent=is_unsent
            )
        if released:
            self._notifications.publish(WAITING_REQUESTS, encode_waiting(request_id))
        return released


def _as_claimed(request: ClaimedRequest) -> OpenRequest:
    return OpenRequest(request.id, "running", request.claim_id)
