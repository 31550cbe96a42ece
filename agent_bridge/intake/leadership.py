"""Which bridge holds the router session: the one that has a lease.

While PostgreSQL is away nobody can have it, so the session stays where it is: what the
router says meanwhile would be lost otherwise. But only who has the lease connects: two bridges
would take the session from each other for ever.

Should two bridges hold it for a moment all the same, the router speaks to the newer connection
only. What the older still says of agents does not count: each leader begins a term, and the
statements about agents compare it.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

from attrs import frozen
from databases.core import Connection

from agent_bridge.agents.reconciliation import Reconciliation
from agent_bridge.intake.queries import begin_term, select_term
from agent_bridge.router.lanes import RouterAwayError
from agent_bridge.router.session import AgentEvent, Put, RouterLost, RouterSession, TermBegan
from shared.postgres.apart import APART_ERRORS, connect_apart
from shared.postgres.leases import Lease, give_lease_back, take_lease
from shared.postgres.locks import LEADER_LOCK
from shared.postgres.statements import DirectConnection
from shared.settings.bridge import BridgeSettings

logger = logging.getLogger(__name__)

ATTEMPT_SECONDS = 0.5
HEARTBEAT_SECONDS = 0.5
LEASE_SECONDS = 2.0  # of a leader that says nothing any more
ANSWER_SECONDS = 1.4  # with a heartbeat less than the lease
UNREACHABLE_SECONDS = 0.8  # without the router, after which another bridge may try
STEP_BACK_SECONDS = 0.7  # more than the others need to notice that the lease is free
BACKOFF_SECONDS = (0.03, 0.06, 0.12, 0.25, 0.5)

type PutInTerm = Callable[[UUID, AgentEvent], None]


@frozen
class LeaderState:
    """What a bridge knows of itself as the leader."""

    has_lock: bool
    is_held: bool
    """Whether it holds the router session and has heard itself there."""
    heard_at: datetime | None
    """When it last did; UTC."""


class Leadership:
    """Competes for the lease for ever, and holds the router session while it has it."""

    def __init__(
        self,
        settings: BridgeSettings,
        session: RouterSession,
        reconciliation: Reconciliation,
        put: PutInTerm,
        bridge_id: UUID,
    ) -> None:
        self._settings = settings
        self._session = session
        self._reconciliation = reconciliation
        self._put = put
        self._lease = Lease("router_session", LEASE_SECONDS, LEADER_LOCK, bridge_id)
        self._leads = asyncio.Event()
        self._leads_until = 0.0  # by the clock of this process
        self._term: UUID | None = None
        self._holding: asyncio.Task[None] | None = None

    @property
    def state(self) -> LeaderState:
        """Whether this bridge leads, for whoever asks after its health."""
        session = self._session
        return LeaderState(self._leads_now, session.is_held, session.heard_at)

    @property
    def _leads_now(self) -> bool:
        """It does not after it was frozen, before it knows."""
        return self._leads.is_set() and time.monotonic() < self._leads_until

    async def run(self) -> None:
        """Be the leader whenever nobody else is."""
        try:
            while True:
                try:
                    await self._compete()
                except APART_ERRORS as error:
                    logger.warning("the leader's lease can't be had or kept: %r", error)
                    await asyncio.sleep(ATTEMPT_SECONDS)
                except RouterAwayError as error:
                    logger.warning("another bridge may try: %s", error)
                    await self._stop_holding()
                    await asyncio.sleep(STEP_BACK_SECONDS)
        finally:
            await self._stop_holding()

    async def _compete(self) -> None:
        """Try to have the lease until the connection fails. Raises RouterAwayError."""
        raw = await connect_apart(self._settings, "leader")
        connection, is_waiting = DirectConnection(raw), False
        session = None if raw.is_pooled else raw.get_server_pid()
        try:
            while True:
                if (why_not := await self._take(connection, session)) is None:
                    is_waiting = False
                    await self._lead(connection)
                    await self._watch_holding(HEARTBEAT_SECONDS)
                    continue
                self._leads.clear()
                if is_waiting:  # until now the session could end by another's taking it: unharmed
                    await self._stop_holding()
                else:
                    logger.info("this bridge does not lead: %s", why_not)
                is_waiting = True
                await asyncio.sleep(ATTEMPT_SECONDS)
        except (asyncio.CancelledError, RouterAwayError):
            await self._stop_holding()
            await self._give_back(connection)
            raise
        finally:
            self._leads.clear()
            raw.terminate()

    async def _take(self, connection: Connection, session: int | None) -> str | None:
        asked_at = time.monotonic()
        if why_not := await _in_time(take_lease(connection, self._lease, session)):
            return why_not
        self._leads_until = asked_at + LEASE_SECONDS
        return None

    async def _give_back(self, connection: Connection) -> None:
        try:
            await _in_time(give_lease_back(connection, self._lease))
        except APART_ERRORS as error:
            logger.warning("others wait for the end of this leader's lease: %r", error)

    async def _lead(self, connection: Connection) -> None:
        """Begin a term, unless the latest is this bridge's own.

        It is not while another bridge led, and when the row was removed or restored: nothing that
        was heard since has been stored, so the session is held anew and the router asked.
        """
        latest = await _in_time(select_term(connection))
        if self._term is None or latest != self._term:
            await self._stop_holding()
            term = uuid4()
            if not await _in_time(begin_term(connection, term, self._lease)):
                return
            logger.info("this bridge is the leader")
            self._term = term
            self._holding = asyncio.create_task(self._hold_session(term))
        self._leads.set()

    async def _stop_holding(self) -> None:
        self._term = None
        if self._holding is not None:
            logger.info("this bridge is no longer the leader")
            self._holding.cancel()
            await asyncio.gather(self._holding, return_exceptions=True)
            self._holding = None

    async def _watch_holding(self, seconds: float) -> None:
        """Sleep; should the holding have ended meanwhile, say why."""
        if self._holding is None:  # the lease was over before the term could begin
            await asyncio.sleep(seconds)
            return
        await asyncio.wait({self._holding}, timeout=seconds)
        if self._holding.done():
            self._holding.result()

    async def _hold_session(self, term: UUID) -> None:
        """Hold the session, again whenever it is lost. Raises RouterAwayError.

        Only who never held it in his term says that the router is lost: before, another bridge
        is to try.
        """
        put = partial(self._put, term)
        put(TermBegan())
        failures, since, was_held = 0, 0.0, False
        while True:
            await self._until_leading()
            if not failures:
                since = time.monotonic()
            try:
                await self._session.hold(
                    partial(self._hear, put), partial(self._reconciliation.call, put)
                )
                failures, was_held = 0, True
            except RouterAwayError as error:
                failures += 1
                if time.monotonic() - since > UNREACHABLE_SECONDS:
                    if not was_held:
                        put(RouterLost())
                    raise
                if failures == 1:
                    logger.warning("%s, trying on", error)
            longest = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
            await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311

    async def _until_leading(self) -> None:
        while not self._leads_now:
            self._leads.clear()
            await self._leads.wait()

    def _hear(self, put: Put, event: AgentEvent) -> None:
        self._reconciliation.heard(event)
        put(event)


async def _in_time[T](statement: Awaitable[T]) -> T:
    async with asyncio.timeout(ANSWER_SECONDS):
        return await statement
