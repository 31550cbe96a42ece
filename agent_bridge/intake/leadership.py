"""Which bridge holds the router session: the one with a PostgreSQL advisory lock.

The lock lives on a connection of its own and is freed by the server when that ends: no clocks.
While PostgreSQL is away nobody can have the lock, so the session stays where it is: what the
router says meanwhile would be lost otherwise. But only who has the lock connects: two bridges
would take the session from each other for ever.

Should two bridges hold it for a moment all the same, the router speaks to the newer connection
only. What the older still says of agents does not count: each leader begins a term, and the
statements about agents compare it.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

import asyncpg
from attrs import frozen

from agent_bridge.agents.reconciliation import Reconciliation
from agent_bridge.router.lanes import RouterAwayError
from agent_bridge.router.session import AgentEvent, Put, RouterLost, RouterSession, TermBegan
from shared.postgres.locks import APART_ERRORS, LEADER_LOCK, connect_apart
from shared.settings.bridge import BridgeSettings

logger = logging.getLogger(__name__)

ATTEMPT_SECONDS = 0.5
HEARTBEAT_SECONDS = 0.5
SILENCE_SECONDS = 2.0  # after which the server takes the lock from a leader
UNREACHABLE_SECONDS = 0.8  # without the router, after which another bridge may try
STEP_BACK_SECONDS = 0.7  # more than the others need to notice that the lock is free
BEGIN_TERM = """
    INSERT INTO router_session (term) VALUES ($1) ON CONFLICT (id) DO UPDATE SET term = $1
"""
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
    """Competes for the lock for ever, and holds the router session while it has it."""

    def __init__(
        self,
        settings: BridgeSettings,
        session: RouterSession,
        reconciliation: Reconciliation,
        put: PutInTerm,
    ) -> None:
        self._settings = settings
        self._session = session
        self._reconciliation = reconciliation
        self._put = put
        self._has_lock = asyncio.Event()
        self._term: UUID | None = None
        self._holding: asyncio.Task[None] | None = None

    @property
    def state(self) -> LeaderState:
        """Whether this bridge leads, for whoever asks after its health."""
        session = self._session
        return LeaderState(self._has_lock.is_set(), session.is_held, session.heard_at)

    async def run(self) -> None:
        """Be the leader whenever nobody else is."""
        try:
            while True:
                try:
                    await self._compete()
                except APART_ERRORS as error:
                    logger.warning("the leader's lock can't be had or kept: %r", error)
                    await asyncio.sleep(ATTEMPT_SECONDS)
                except RouterAwayError as error:
                    logger.warning("another bridge may try: %s", error)
                    await self._stop_holding()
                    await asyncio.sleep(STEP_BACK_SECONDS)
        finally:
            await self._stop_holding()

    async def _compete(self) -> None:
        """Try to have the lock until its connection fails. Raises RouterAwayError."""
        connection = await connect_apart(
            self._settings,
            "leader",
            # A leader that is frozen, or whose host is gone, says nothing any more.
            idle_session_timeout=str(int(SILENCE_SECONDS * 1000)),
        )
        try:
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LEADER_LOCK):
                await self._stop_holding()
                await asyncio.sleep(ATTEMPT_SECONDS)
            while True:
                await self._lead(connection)
                await self._watch_holding(HEARTBEAT_SECONDS)
        finally:
            self._has_lock.clear()
            connection.terminate()

    async def _lead(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Begin a term, unless the latest is this bridge's own.

        It is not while another bridge led, and when the row was removed or restored: nothing that
        was heard since has been stored, so the session is held anew and the router asked.
        """
        latest = await connection.fetchval("SELECT term FROM router_session")
        if self._term is None or latest != self._term:
            await self._stop_holding()
            term = uuid4()
            await connection.execute(BEGIN_TERM, term)
            logger.info("this bridge is the leader")
            self._term = term
            self._holding = asyncio.create_task(self._hold_session(term))
        self._has_lock.set()

    async def _stop_holding(self) -> None:
        self._term = None
        if self._holding is not None:
            logger.info("this bridge is no longer the leader")
            self._holding.cancel()
            await asyncio.gather(self._holding, return_exceptions=True)
            self._holding = None

    async def _watch_holding(self, seconds: float) -> None:
        """Sleep; should the holding have ended meanwhile, say why."""
        assert self._holding is not None
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
            await self._has_lock.wait()
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

    def _hear(self, put: Put, event: AgentEvent) -> None:
        self._reconciliation.heard(event)
        put(event)
