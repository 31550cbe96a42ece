"""The router session: the one connection on which the router sees the bridge as *the* agent."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid4

from attrs import frozen
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from agent_bridge.router.frames import (
    MASTER_SERVER_BE,
    MASTER_SERVER_ML,
    AgentLogged,
    AgentRegistered,
    AgentUnregistered,
    FlushMarkerArrived,
    ProbeArrived,
    echo_frame,
    parse_session_frame,
    register_frame,
)
from agent_bridge.router.lanes import (
    Lane,
    LaneLostError,
    RouterAwayError,
    connect_to_router,
    open_lane,
)
from agent_bridge.router.skipped import skip
from agent_bridge.together import run_until_one_ends
from shared.settings.bridge import BridgeSettings

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 0.8
PROBE_SECONDS = 1.0
ECHO_SECONDS = 1.5


@frozen
class FlushMarker:
    """`passed` is called when the log entries that came before it have been handled."""

    passed: Callable[[], Coroutine[None, None, None]]
    request_ids: tuple[str, ...] | None = None
    """Of which requests; None: of all."""


@frozen
class RouterLost:
    """The router can't be reached: agents are not connected to it, as far as anyone can tell."""


@frozen
class AgentsSeen:
    """Who was connected when the router was asked, and who was not."""

    present: frozenset[UUID]
    absent: frozenset[UUID]
    verified: frozenset[UUID] = frozenset()
    """Those of the present whose registration an earlier leader has heard and believed."""


@frozen
class TermBegan:
    """Another leader has heard what was said before."""


type LogEvent = AgentLogged | FlushMarker
type AgentEvent = AgentRegistered | AgentUnregistered | RouterLost | AgentsSeen | TermBegan
type PutLog = Callable[[LogEvent], object]
type Put = Callable[[AgentEvent], None]
type OnHeld = Callable[[], Coroutine[None, None, None]]


class DeafError(Exception):
    """Our own probe did not come back: another connection has taken the identity, or dropped it."""


class FullError(Exception):
    """What was heard of agents can't be kept: the router is to be asked later."""


class RouterSession:
    """Holds the identity `master_server_be`, hears the router's events and itself."""

    def __init__(
        self,
        settings: BridgeSettings,
        put_log: PutLog,
        pass_marker: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """`put_log` gets what agents log, in order, and must not block.

        `pass_marker` is told a flush marker once what came before it has been handled; False: it is
        another bridge's, and is echoed.
        """
        self._settings = settings
        self._put_log = put_log
        self._pass_marker = pass_marker
        self._probe = ""
        self._held = asyncio.Event()
        self.heard_at: datetime | None = None
        """When the session last heard itself."""

    @property
    def is_held(self) -> bool:
        """Whether the connection is open and its last probe came back."""
        return self._held.is_set()

    async def hold(self, put: Put, on_held: OnHeld) -> None:
        """Connect and listen until the connection ends or goes deaf.

        `put` gets who comes and goes, in order, and must not block; it may raise FullError.
        `on_held` runs once the session has heard itself, and is cancelled when it ends. Raises
        RouterAwayError when the session never heard itself.
        """
        key = {"API-KEY": self._settings.master_be_api_key}
        connection = await connect_to_router(self._settings, key, CONNECT_SECONDS)
        lane: Lane | None = None
        try:
            await connection.send(register_frame().decode())
            lane = await open_lane(self._settings, MASTER_SERVER_BE, CONNECT_SECONDS)
            await run_until_one_ends(
                self._listen(connection, put), self._probe_for_ever(lane), self._greet(on_held)
            )
            reason = "it was closed"
        except (ConnectionClosed, RouterAwayError, DeafError, FullError) as error:
            reason = str(error)
        finally:
            was_held = self.is_held
            self._held.clear()
            closing = [connection.close()] if lane is None else [connection.close(), lane.close()]
            await asyncio.gather(self._hear_the_rest(connection, put), *closing)
        if not was_held:
            raise RouterAwayError(f"the router session can't be held: {reason}")
        logger.warning("the router session was lost: %s", reason)

    async def _listen(self, connection: ClientConnection, put: Put) -> None:
        async for text in connection:
            match parse_session_frame(text):
                case AgentLogged() as logged:
                    if self._may_log(logged):
                        self._put_log(logged)
                case ProbeArrived() as arrived:
                    if arrived.probe == self._probe:
                        await connection.send(echo_frame(arrived))
                case FlushMarkerArrived() as arrived:
                    if arrived.invoked_by.startswith(self._settings.master_be_api_key):
                        passed = partial(self._pass, connection, arrived)
                        self._put_log(FlushMarker(passed, arrived.request_ids))
                case None:
                    skip("session")
                case event:
                    put(event)

    async def _pass(self, connection: ClientConnection, arrived: FlushMarkerArrived) -> None:
        if not self._pass_marker(arrived.marker):
            with suppress(ConnectionClosed):  # whoever waits does not wait for long
                await connection.send(echo_frame(arrived))

    def _may_log(self, logged: AgentLogged) -> bool:
        """Where agents have a door, the master agent came through it, and logs there."""
        return not self._settings.agents_port or logged.agent_uuid != MASTER_SERVER_ML

    async def _hear_the_rest(self, connection: ClientConnection, put: Put) -> None:
        """What came before the connection was closed was said to nobody else."""
        self._probe = ""
        with suppress(ConnectionClosed, FullError):
            await self._listen(connection, put)

    async def _probe_for_ever(self, lane: Lane) -> None:
        while True:
            self._probe = str(uuid4())
            try:
                async with asyncio.timeout(ECHO_SECONDS):
                    await lane.invoke(MASTER_SERVER_BE, {"probe": self._probe})
            except (TimeoutError, LaneLostError):
                raise DeafError("it has gone deaf") from None
            if not lane.is_clean:  # the router says that nobody holds the identity
                raise DeafError("its identity was dropped")
            if not self.is_held:
                logger.info("the router session is held")
                self._held.set()
            self.heard_at = datetime.now(UTC)
            await asyncio.sleep(PROBE_SECONDS)

    async def _greet(self, on_held: OnHeld) -> None:
        await self._held.wait()
        await on_held()
        await asyncio.Event().wait()
