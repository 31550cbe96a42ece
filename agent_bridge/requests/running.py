"""The requests that run here, each in a task of its own, from its claim to its end."""

import asyncio
import logging
from collections.abc import Callable
from time import time_ns
from uuid import UUID

import attrs

from agent_bridge import metrics
from agent_bridge.parts.parts import Parts, Subject
from agent_bridge.requests.claim_queries import ClaimedRequest
from agent_bridge.requests.ending import INTERNAL, Endings
from agent_bridge.requests.invoking import Invoker
from agent_bridge.router.frames import MASTER_SERVER_ML
from shared.domain.endings import Moments, Outcome, failed
from shared.notifications.formats import Request
from shared.telemetry.logging import bind_log_ids
from shared.telemetry.tracing import span

logger = logging.getLogger(__name__)

END_SECONDS = 2.0


class Running:
    """What runs, by claim."""

    def __init__(self, invoker: Invoker, endings: Endings, parts: Parts) -> None:
        self._invoker = invoker
        self._endings = endings
        self._parts = parts
        self._tasks: dict[UUID, asyncio.Task[bool]] = {}
        self._invoking: dict[UUID, asyncio.Task[Outcome | None]] = {}

    def __len__(self) -> int:
        """How many run."""
        return len(self._tasks)

    @property
    def claims(self) -> set[UUID]:
        """The claims of all that runs."""
        return set(self._tasks)

    def start(self, request: ClaimedRequest, on_end: Callable[[bool], None]) -> None:
        """Run a request; when it runs no more, `on_end` is told whether its session's next may."""

        def finished(task: asyncio.Task[bool]) -> None:
            del self._tasks[request.claim_id]
            self._invoker.sent.discard(request.claim_id)
            self._invoker.composed.pop(request.claim_id, None)
            error = None if task.cancelled() else task.exception()
            if error:
                logger.error("request %s was not ended here", request.id, exc_info=error)
            on_end(task.cancelled() or error is not None or task.result())

        task = asyncio.create_task(self._run(request))
        self._tasks[request.claim_id] = task
        task.add_done_callback(finished)

    def drop(self, claims: set[UUID]) -> None:
        """Stop invoking; the lanes are closed, and an answer that comes late reaches nobody."""
        for claim_id in claims & self._invoking.keys():
            logger.info("the claim %s was ended elsewhere", claim_id)
            self._invoking[claim_id].cancel()

    async def drain(self, seconds: float) -> None:
        """Hand over what was not sent, and let the rest end; what does not in time is interrupted.

        Nothing may be started any more.
        """
        self._cancel(self._invoking.keys() - self._invoker.sent)
        await self._wait(seconds)
        self._cancel(set(self._invoking))
        await self._wait(END_SECONDS)  # an answer that has just come is still to be stored
        self._cancel(self.claims)
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._invoker.close()

    def _cancel(self, claims: set[UUID]) -> None:
        for claim_id in claims:
            self._tasks[claim_id].cancel()

    async def _wait(self, seconds: float) -> None:
        if self._tasks:
            await asyncio.wait(set(self._tasks.values()), timeout=seconds)

    async def _run(self, request: ClaimedRequest) -> bool:
        user_id, session_id = request.creator_id, request.session_id
        bind_log_ids(request_id=request.id, session_id=session_id, user_id=user_id)
        metrics.WAITING_SECONDS.observe(request.waited)
        begun = time_ns() - int(request.waited * 1e9)
        with span("claim", parent=request.traceparent, begun=begun):
            pass
        parent = request.traceparent
        with span("run", parent=parent, request_id=request.id, session_id=session_id):
            return await self._run_to_its_end(request)

    async def _run_to_its_end(self, request: ClaimedRequest) -> bool:
        """Whether another request of the session waits, perhaps."""
        invoking = asyncio.create_task(self._invoker.find_outcome(request))
        self._invoking[request.claim_id] = invoking
        try:
            with self._parts.running(_subject(request)) as heard:
                await asyncio.wait({invoking})
        except asyncio.CancelledError:
            invoking.cancel()
            await asyncio.gather(invoking, return_exceptions=True)
            is_unsent = request.claim_id not in self._invoker.sent
            await self._endings.give_back(request, is_unsent=is_unsent)
            raise
        finally:
            del self._invoking[request.claim_id]
        if invoking.cancelled():
            return True  # somebody else has ended it
        outcome = _result(invoking, request)
        if outcome is None:
            return True
        composed = self._invoker.composed.get(request.claim_id)
        moments = Moments(composed, heard.first, heard.last)
        with span("end"):
            ended = await self._endings.end(request, attrs.evolve(outcome, moments=moments))
        return ended is None or ended.has_next


def _subject(request: ClaimedRequest) -> Subject:
    told = Request(request.id, request.message_id)
    answers = MASTER_SERVER_ML if request.asked_id is None else str(request.asked_id)
    return Subject(told, request.session_id, request.creator_id, answers)


def _result(invoking: "asyncio.Task[Outcome | None]", request: ClaimedRequest) -> Outcome | None:
    try:
        return invoking.result()
    except Exception:
        logger.exception("request %s of session %s", request.id, request.session_id)
        return failed(INTERNAL)
