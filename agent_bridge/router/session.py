"""The router session: the one connection on which the router sees the bridge as *the* agent."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from uuid import uuid4

from attrs import frozen
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from agent_bridge.router.frames import (
    MASTER_SERVER_BE,
    AgentLogged,
    AgentRegistered,
    AgentUnregistered,
    FenceArrived,
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
from shared.database import in_own_task
from shared.settings import Settings

logger = logging.getLogger(__name__)

PROBE_SECONDS = 3.0
ECHO_SECONDS = 3.0
LOSS_SECONDS = 0.5  # within which a dying router takes the probe's lane down too

type Fence = Callable[[], Awaitable[None]]
"""Called when all that came before it has been handled."""


@frozen
class RouterLost:
    """The router itself was lost, and with it every agent's connection."""


type Event = AgentRegistered | AgentUnregistered | AgentLogged | RouterLost | Fence
type Put = Callable[[Event], Awaitable[None]]
type OnHeld = Callable[[], Coroutine[None, None, None]]


class DeafError(Exception):
    """Our own probe did not come back: another connection has taken the identity, or dropped it."""


class RouterSession:
    """Holds the identity `master_server_be`, hears the router's events and itself."""

    def __init__(self, settings: Settings, put: Put) -> None:
        self._settings = settings
        self._put = put
        self._probe = ""
        self.is_held = False
        """Whether the connection is open and its last probe came back."""

    async def hold(self, on_held: OnHeld) -> bool:
        """Connect and listen until the connection ends or goes deaf.

        Calls `on_held` once the session has heard itself.

        Returns whether the router itself was lost, and with it everyone's connection. Raises
        RouterAwayError when no connection could be had.
        """
        connection = await connect_to_router(
            self._settings, {"API-KEY": self._settings.master_be_api_key}
        )
        lane: Lane | None = None
        try:
            await connection.send(register_frame().decode())
            lane = await open_lane(self._settings, MASTER_SERVER_BE)
            await self._listen_and_probe(connection, lane, on_held)
        except (ConnectionClosed, RouterAwayError) as error:
            logger.warning("the router session was lost: %s", error)
        except DeafError:
            logger.warning("the router session has gone deaf, connecting anew")
        finally:
            self.is_held = False
            await connection.close()
            router_lost = lane is None or await _is_lost(lane)
            if lane is not None:
                await lane.close()
        return router_lost

    async def _listen_and_probe(
        self, connection: ClientConnection, lane: Lane, on_held: OnHeld
    ) -> None:
        listening = asyncio.create_task(self._listen(connection))
        probing = asyncio.create_task(self._probe_for_ever(lane, on_held))
        tasks = {listening, probing}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            if not task.cancelled() and (error := task.exception()):
                raise error

    async def _listen(self, connection: ClientConnection) -> None:
        async for text in connection:
            match parse_session_frame(text):
                case ProbeArrived() as arrived:
                    if arrived.probe == self._probe:
                        await connection.send(echo_frame(arrived))
                case FenceArrived() as arrived:
                    if arrived.invoked_by.startswith(self._settings.master_be_api_key):
                        await self._put(partial(_echo, connection, arrived))
                case None:
                    logger.debug("the router sent a frame of no known form")
                case event:
                    await self._put(event)

    async def _probe_for_ever(self, lane: Lane, on_held: OnHeld) -> None:
        while True:
            self._probe = str(uuid4())
            try:
                async with asyncio.timeout(ECHO_SECONDS):
                    await lane.invoke(MASTER_SERVER_BE, {"probe": self._probe})
            except (TimeoutError, LaneLostError):
                raise DeafError from None
            if not lane.is_clean:  # the router says that nobody holds the identity
                raise DeafError
            if not self.is_held:
                logger.info("the router session is held")
                self.is_held = True
                await in_own_task(on_held())
            await asyncio.sleep(PROBE_SECONDS)


async def _echo(connection: ClientConnection, arrived: FenceArrived) -> None:
    with suppress(ConnectionClosed):  # whoever waits does not wait for long
        await connection.send(echo_frame(arrived))


async def _is_lost(lane: Lane) -> bool:
    """Whether the connection of a lane has ended by itself too."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LOSS_SECONDS):
            await lane.wait_closed()
    return lane.was_cut
