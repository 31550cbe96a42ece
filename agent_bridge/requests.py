"""A request's life here: claimed, run over a lane, and ended exactly once."""

import asyncio
import logging
from datetime import UTC, datetime
from time import monotonic, time_ns
from uuid import UUID

import asyncpg
from databases import Database

from agent_bridge import metrics, queries
from agent_bridge.compose import Composition, UnfitError, compose
from agent_bridge.master import Form, FormChoice, payload
from agent_bridge.queries import ClaimedRequest, Overdue
from agent_bridge.router.frames import (
    MASTER_SERVER_ML,
    NOT_ACTIVE,
    UNREGISTERED,
    Rejection,
    Reply,
)
from agent_bridge.router.lanes import LaneLostError, Lanes, RouterAwayError
from shared.database import DatabaseAwayError, connect, in_own_task
from shared.endings import OpenRequest, Outcome, end_request, failed
from shared.events import answer_from
from shared.logging import tell_logs
from shared.news import CANCELLED_REQUESTS, WAITING_REQUESTS, Listener, News
from shared.secrets import Vault
from shared.settings import Settings
from shared.tracing import span

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0  # finds what no news announced
RENEW_SECONDS = queries.LEASE.total_seconds() / 3
SWEEP_SECONDS = 1.0
RETRY_SECONDS = 0.5

ROUTER_AWAY = "The router can't be reached, please try again later"
MASTER_AWAY = "The master agent is not connected, please try again later"
MASTER_LEFT = "The master agent left before the answer came"
CONNECTION_LOST = "The connection to the router was lost before the answer came"
INTERRUPTED = "The request was interrupted before the answer came"
TIMED_OUT = "The answer did not come in time"
INTERNAL = "The request failed because of an internal error"


class Requests:
    """The requests that this bridge has claimed, and the loops that look after them."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        news: News,
        vault: Vault,
        bridge_id: UUID,
    ) -> None:
        self._database = database
        self._news = news
        self._vault = vault
        self._bridge_id = bridge_id
        self._lanes = Lanes(settings)
        self._limit = settings.router_lanes
        self._form = FormChoice(settings.master_agent_contract)
        self._running: dict[UUID, asyncio.Task[None]] = {}  # by claim
        self._invoking: dict[UUID, asyncio.Task[Outcome | None]] = {}  # by claim

    async def claim(self) -> None:
        """Claim and start waiting requests for ever: at once on news, else every second."""
        async with self._news.subscribe(WAITING_REQUESTS) as listener:
            while True:
                free = self._limit - len(self._running)
                claimed = await in_own_task(self._claim(free)) if free else []
                for request in claimed:
                    self._start(request, listener)
                if not claimed:
                    await _next_news(listener)

    async def drop_cancelled(self) -> None:
        """Stop working on what somebody else has ended, for ever."""
        async with self._news.subscribe(CANCELLED_REQUESTS) as listener:
            while True:
                message = await listener.get()
                if message is not None:
                    self._drop(
                        {claim for claim in self._invoking if str(claim).encode() == message}
                    )
                elif self._running:
                    await in_own_task(self._renew())  # what was missed shows there

    async def renew(self) -> None:
        """Renew the leases of what runs here, for ever."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            if self._running:
                await in_own_task(self._renew())

    async def sweep(self) -> None:
        """End or give back what other bridges left behind, for ever."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await in_own_task(self._sweep())

    async def drain(self, seconds: float) -> None:
        """Let what runs here end; what does not end in time is interrupted."""
        running = set(self._running.values())
        if running:
            await asyncio.wait(running, timeout=seconds)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._lanes.close()

    async def _claim(self, limit: int) -> list[ClaimedRequest]:
        while True:
            try:
                async with connect(self._database) as connection:
                    return await queries.claim_requests(connection, self._bridge_id, limit)
            except asyncpg.UniqueViolationError:
                continue  # another bridge has just won one of the sessions
            except DatabaseAwayError as error:
                logger.warning("no requests can be claimed: %s", error)
                return []

    def _start(self, request: ClaimedRequest, listener: Listener) -> None:
        def finished(task: asyncio.Task[None]) -> None:
            del self._running[request.claim_id]
            listener.put(None)  # the next one of this session, or of those that had no lane
            if not task.cancelled() and (error := task.exception()):
                logger.error("request %s was not ended here", request.id, exc_info=error)

        task = asyncio.create_task(self._run(request))
        self._running[request.claim_id] = task
        task.add_done_callback(finished)

    async def _run(self, request: ClaimedRequest) -> None:
        user_id, session_id = request.creator_id, request.session_id
        tell_logs(request_id=request.id, session_id=session_id, user_id=user_id)
        metrics.WAITING_SECONDS.observe(request.waited)
        begun = time_ns() - int(request.waited * 1e9)
        with span("claim", parent=request.traceparent, begun=begun):
            pass
        parent = request.traceparent
        with span("run", parent=parent, request_id=request.id, session_id=session_id):
            await self._run_to_its_end(request)

    async def _run_to_its_end(self, request: ClaimedRequest) -> None:
        invoking = asyncio.create_task(self._find_outcome(request))
        self._invoking[request.claim_id] = invoking
        try:
            await asyncio.wait({invoking})
        except asyncio.CancelledError:
            invoking.cancel()
            await asyncio.gather(invoking, return_exceptions=True)
            await in_own_task(self._give_back(request))
            raise
        finally:
            del self._invoking[request.claim_id]
        if invoking.cancelled():
            return  # somebody else has ended it
        if outcome := _result(invoking, request):
            with span("end"):
                await self._end(_as_claimed(request), outcome)

    def _drop(self, claims: set[UUID]) -> None:
        """Stop invoking; the lanes are closed, and an answer that comes late reaches nobody."""
        for claim_id in claims & self._invoking.keys():
            logger.info("the claim %s was ended elsewhere", claim_id)
            self._invoking[claim_id].cancel()

    async def _find_outcome(self, request: ClaimedRequest) -> Outcome | None:
        """Invoke the master agent; None: the claim was lost before anything was sent."""
        try:
            with span("compose"):
                async with connect(self._database) as connection:
                    composition = await compose(connection, self._vault, request)
            return await self._invoke(request, composition)
        except UnfitError as error:
            return failed(str(error))
        except RouterAwayError:
            return failed(ROUTER_AWAY)
        except LaneLostError:
            return failed(CONNECTION_LOST, "interrupted")
        except TimeoutError:
            return failed(TIMED_OUT, "timed_out")
        except DatabaseAwayError as error:
            logger.warning("request %s goes back: %s", request.id, error)
            return None  # nothing was sent: the lease runs out and it is taken again

    async def _invoke(self, request: ClaimedRequest, composition: Composition) -> Outcome | None:
        form = self._form.form
        reply = await self._send(request, composition, form)
        if isinstance(reply, Rejection) and (other := self._form.other_after(form, reply)):
            form = other  # that one never ran: its signature was another
            reply = await self._send(request, composition, form)
        if isinstance(reply, Reply):
            self._form.remember(form)
        return None if reply is None else _outcome(reply)

    async def _send(
        self, request: ClaimedRequest, composition: Composition, form: Form
    ) -> Reply | Rejection | None:
        """Note that it is sent, send it and wait; None: another bridge has it by now."""
        async with self._lanes.lend(request.creator_id) as lane:
            async with connect(self._database) as connection:
                if not await queries.mark_sent(
                    connection, request.claim_id, composition.provider_id
                ):
                    return None
            metrics.PREPARATION_SECONDS.observe(monotonic() - request.claimed_at)
            content = payload(form, composition.invocation)
            ids = str(request.id), str(request.session_id)
            async with asyncio.timeout(_seconds_left(request)):
                with span("invoke"), metrics.INVOCATION_SECONDS.time():
                    reply = await lane.invoke(MASTER_SERVER_ML, content, *ids)
            if isinstance(reply, Reply):
                await lane.fence()
            return reply

    async def _end(self, request: OpenRequest, outcome: Outcome) -> None:
        """Store the ending and tell of it; an answer waits here until PostgreSQL takes it."""
        while True:
            try:
                return await in_own_task(self._end_once(request, outcome))
            except DatabaseAwayError as error:
                logger.warning("the answer of request %s waits: %s", request.id, error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _end_once(self, request: OpenRequest, outcome: Outcome) -> None:
        async with connect(self._database) as connection:
            if not await end_request(connection, self._news, request, outcome):
                logger.info("request %s had ended already", request.id)

    async def _give_back(self, request: ClaimedRequest) -> None:
        """On the way out: what was never sent goes back, the rest is interrupted."""
        interrupted = failed(INTERRUPTED, "interrupted")
        try:
            async with connect(self._database) as connection:
                released = await queries.release_request(connection, request.claim_id)
            if not released:
                await self._end_once(_as_claimed(request), interrupted)
        except DatabaseAwayError as error:
            logger.warning("request %s is left to the other bridges: %s", request.id, error)

    async def _renew(self) -> None:
        """Renew what runs here; a claim that no longer holds is worked on no more."""
        claims = set(self._running)
        try:
            async with connect(self._database) as connection:
                held = await queries.renew_leases(connection, list(claims))
        except DatabaseAwayError as error:
            logger.warning("leases can't be renewed: %s", error)
            return
        self._drop(claims - held)

    async def _sweep(self) -> None:
        try:
            async with connect(self._database) as connection:
                overdue = await queries.select_overdue(connection)
        except DatabaseAwayError as error:
            logger.warning("nothing can be swept: %s", error)
            return
        for request in overdue:
            try:
                await self._settle(request)
            except Exception:
                logger.exception("request %s is overdue and can't be ended", request.id)

    async def _settle(self, request: Overdue) -> None:
        if request.is_late:
            outcome = failed(TIMED_OUT, "timed_out")
        elif request.was_sent:
            outcome = failed(INTERRUPTED, "interrupted")
        else:
            async with connect(self._database) as connection:
                await queries.release_request(connection, request.claim_id)
            self._news.publish(WAITING_REQUESTS, str(request.id).encode())
            return
        await self._end_once(request, outcome)


def _as_claimed(request: ClaimedRequest) -> OpenRequest:
    return OpenRequest(request.id, "running", request.claim_id)


def _result(invoking: "asyncio.Task[Outcome | None]", request: ClaimedRequest) -> Outcome | None:
    try:
        return invoking.result()
    except Exception:
        logger.exception("request %s of session %s", request.id, request.session_id)
        return failed(INTERNAL)


def _outcome(reply: Reply | Rejection) -> Outcome:
    if isinstance(reply, Reply):
        return Outcome("answered", answer_from(reply.response), reply.execution_time)
    if reply.message == UNREGISTERED:
        return failed(MASTER_LEFT, "interrupted", reply.execution_time)
    reason = MASTER_AWAY if reply.message == NOT_ACTIVE else reply.message
    return failed(reason or INTERNAL, execution_time=reply.execution_time)


def _seconds_left(request: ClaimedRequest) -> float:
    return (request.deadline - datetime.now(UTC)).total_seconds()


async def _next_news(listener: Listener) -> None:
    """Wait for news, but not longer than a poll; several that came meanwhile count as one."""
    try:
        async with asyncio.timeout(POLL_SECONDS):
            await listener.get()
    except TimeoutError:
        return
    listener.clear()
