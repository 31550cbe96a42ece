"""A request's life here: claimed, run over a lane, and ended exactly once."""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import UTC, datetime
from time import monotonic, time_ns
from uuid import UUID

import asyncpg
from databases import Database

from agent_bridge import metrics
from agent_bridge.batching import Batcher
from agent_bridge.requests import queries
from agent_bridge.requests.compose import UnfitError, compose_and_mark
from agent_bridge.requests.master import Form, FormChoice, payload
from agent_bridge.requests.outcomes import (
    CONNECTION_LOST,
    INTERNAL,
    INTERRUPTED,
    ROUTER_AWAY,
    TIMED_OUT,
    outcome_of,
)
from agent_bridge.requests.queries import ClaimedRequest, Marked, Overdue
from agent_bridge.router.frames import MASTER_SERVER_ML, Rejection, Reply
from agent_bridge.router.lanes import LaneLostError, Lanes, RouterAwayError
from shared.domain.endings import Ending, OpenRequest, Outcome, end_requests, failed
from shared.notifications.bus import (
    Listener,
    News,
)
from shared.notifications.formats import (
    CANCELLED_REQUESTS,
    WAITING_REQUESTS,
    Heartbeat,
    bridges_channel,
    decode_cancelled,
    decode_waiting,
    encode_heartbeat,
    encode_waiting,
    requests_channel,
)
from shared.postgres.pool import DatabaseAwayError, connect
from shared.secrets import Vault
from shared.settings import Settings
from shared.telemetry.logging import tell_logs
from shared.telemetry.tracing import span

logger = logging.getLogger(__name__)

PRESENCE_SECONDS = 1.0
POLL_SECONDS = 1.0  # finds what no news announced
RENEW_SECONDS = queries.LEASE.total_seconds() / 3
SWEEP_SECONDS = 1.0
RETRY_SECONDS = 0.5
END_SECONDS = 2.0
TOGETHER = 32  # requests that one statement is about


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
        self._bridges = bridges_channel(settings)
        self._lanes = Lanes(settings)
        self._limit = settings.router_lanes
        self._form = FormChoice(settings.master_agent_contract)
        self._marks = Batcher(self._mark_all, TOGETHER)
        self._endings = Batcher(self._end_all, TOGETHER)
        self._claiming = asyncio.Lock()
        self._is_leaving = False
        self._sent: set[UUID] = set()  # claims that the master agent may have seen
        self._running: dict[UUID, asyncio.Task[None]] = {}  # by claim
        self._invoking: dict[UUID, asyncio.Task[Outcome | None]] = {}  # by claim

    async def claim(self) -> None:
        """Claim and start waiting requests for ever: at once on news, else every second."""
        own, is_named = requests_channel(self._bridge_id), False
        async with self._news.subscribe(WAITING_REQUESTS, own) as listener:
            while True:
                await self._claim_and_start(listener)
                if is_named and not self._room:
                    self._news.publish(
                        WAITING_REQUESTS, encode_waiting(None)
                    )  # others may have some
                is_named = await _next_news(listener)

    async def say_that_it_takes_some(self) -> None:
        """Tell the gateways every second, for ever, that requests are claimed here."""
        while True:
            if not self._is_leaving:
                self._news.publish(self._bridges, encode_heartbeat(Heartbeat(self._bridge_id)))
            await asyncio.sleep(PRESENCE_SECONDS)

    async def drop_cancelled(self) -> None:
        """Stop working on what somebody else has ended, for ever."""
        async with self._news.subscribe(CANCELLED_REQUESTS) as listener:
            while True:
                claim_id = decode_cancelled(await listener.get())
                if claim_id is not None:
                    self._drop({claim_id})
                elif self._running:
                    await self._renew()  # what was missed shows there

    async def renew(self) -> None:
        """Renew the leases of what runs here, for ever."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            if self._running:
                await self._renew()

    async def sweep(self) -> None:
        """End or give back what other bridges left behind, for ever."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await self._sweep()

    async def drain(self, seconds: float) -> None:
        """Claim no more, hand over what was not sent, and let the rest end.

        What does not end in time is interrupted.
        """
        async with self._claiming:
            self._is_leaving = True
        leaving = Heartbeat(self._bridge_id, is_leaving=True)
        self._news.publish(self._bridges, encode_heartbeat(leaving))
        self._cancel(self._invoking.keys() - self._sent)
        await self._wait(seconds)
        self._cancel(set(self._invoking))
        await self._wait(END_SECONDS)  # an answer that has just come is still to be stored
        self._cancel(set(self._running))
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        await self._lanes.close()

    def _cancel(self, claims: set[UUID]) -> None:
        for claim_id in claims:
            self._running[claim_id].cancel()

    async def _wait(self, seconds: float) -> None:
        if self._running:
            await asyncio.wait(set(self._running.values()), timeout=seconds)

    async def _claim_and_start(self, listener: Listener) -> None:
        """Claim as much as there is room for; whoever makes more of either tells the listener."""
        async with self._claiming:
            for request in await self._claim(self._room) if self._room else []:
                self._start(request, listener)

    @property
    def _room(self) -> int:
        """How many more requests can be claimed."""
        return 0 if self._is_leaving else self._limit - len(self._running)

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
            self._sent.discard(request.claim_id)
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
            await self._give_back(request)
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
            return await self._invoke(request)
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

    async def _invoke(self, request: ClaimedRequest) -> Outcome | None:
        form = self._form.form
        reply = await self._send(request, form)
        if isinstance(reply, Rejection) and (other := self._form.other_after(form, reply)):
            form = other  # that one never ran: its signature was another
            reply = await self._send(request, form)
        if isinstance(reply, Reply):
            self._form.remember(form)
        return None if reply is None else outcome_of(reply)

    async def _send(self, request: ClaimedRequest, form: Form) -> Reply | Rejection | None:
        """Note that it is sent, send it and wait; None: another bridge has it by now."""
        async with self._lanes.lend(request.creator_id) as lane:
            self._sent.add(request.claim_id)
            with span("compose"):
                mark = self._marks.do
                invocation = await compose_and_mark(self._database, self._vault, mark, request)
            if invocation is None:
                return None
            metrics.PREPARATION_SECONDS.observe(monotonic() - request.claimed_at)
            content = payload(form, invocation)
            ids = str(request.id), str(request.session_id)
            async with asyncio.timeout(_seconds_left(request)):
                with span("invoke"), metrics.INVOCATION_SECONDS.time():
                    reply = await lane.invoke(MASTER_SERVER_ML, content, *ids)
            if isinstance(reply, Reply):
                await self._lanes.flush()
            return reply

    async def _mark_all(self, requests: list[ClaimedRequest]) -> list[Marked | None]:
        async with connect(self._database) as connection:
            return await queries.mark_sent(connection, requests)

    async def _end(self, request: OpenRequest, outcome: Outcome) -> None:
        """Store the ending and tell of it; an answer waits here until PostgreSQL takes it.

        First together with others, then alone: none waits for another one's locked session twice.
        """
        ending = Ending(request, outcome)
        work: Awaitable[object] = self._endings.do(ending)
        while True:
            try:
                await work
            except DatabaseAwayError as error:
                logger.warning("the answer of request %s waits: %s", request.id, error)
                await asyncio.sleep(RETRY_SECONDS)
                work = self._end_all([ending])
            else:
                return

    async def _end_all(self, endings: list[Ending]) -> list[bool]:
        async with connect(self._database) as connection:
            ended = await end_requests(connection, self._news, endings)
        for ending, is_ended in zip(endings, ended, strict=True):
            if not is_ended:
                logger.info("request %s had ended already", ending.request.id)
        return ended

    async def _give_back(self, request: ClaimedRequest) -> None:
        """On the way out: what was never sent goes back, the rest is interrupted."""
        interrupted = failed(INTERRUPTED, "interrupted")
        try:
            if not await self._release(request.id, request.claim_id):
                await self._end_all([Ending(_as_claimed(request), interrupted)])
        except DatabaseAwayError as error:
            logger.warning("request %s is left to the other bridges: %s", request.id, error)

    async def _release(self, request_id: UUID, claim_id: UUID | None) -> bool:
        """Give a request back; False: it was sent, or has ended."""
        async with connect(self._database) as connection:
            released = await queries.release_request(connection, claim_id)
        if released:
            self._news.publish(WAITING_REQUESTS, encode_waiting(request_id))
        return released

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
            await self._release(request.id, request.claim_id)
            return
        await self._end_all([Ending(request, outcome)])


def _as_claimed(request: ClaimedRequest) -> OpenRequest:
    return OpenRequest(request.id, "running", request.claim_id)


def _result(invoking: "asyncio.Task[Outcome | None]", request: ClaimedRequest) -> Outcome | None:
    try:
        return invoking.result()
    except Exception:
        logger.exception("request %s of session %s", request.id, request.session_id)
        return failed(INTERNAL)


def _seconds_left(request: ClaimedRequest) -> float:
    return (request.deadline - datetime.now(UTC)).total_seconds()


async def _next_news(listener: Listener) -> bool:
    """Wait for news, but not longer than a poll; several that came meanwhile count as one.

    Returns whether a request was named: perhaps this bridge alone was told of it.
    """
    try:
        async with asyncio.timeout(POLL_SECONDS):
            first = await listener.get()
    except TimeoutError:
        return False
    named = [decode_waiting(message) for message in (first, *listener.clear())]
    return any(named)
