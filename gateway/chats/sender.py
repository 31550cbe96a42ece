"""What leaves a socket: the frames of its session in order, and replies in between."""

import asyncio
import logging
from contextlib import aclosing
from time import time_ns
from typing import cast

from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.chats.closes import FAILED, INTERNAL_ERROR, TRY_AGAIN_LATER, close
from gateway.chats.delivery import Delivery
from gateway.chats.expected import ExpectedAnswers
from gateway.chats.handshake import Opening
from gateway.state import State
from shared.notifications.bus import Listener
from shared.postgres.pool import DatabaseAwayError

logger = logging.getLogger(__name__)

SEND_SECONDS = 20.0  # for each begun
LARGE = 1024 * 1024  # characters of a frame
CATCH_UP_SECONDS = 1.0


class Sender:
    """Sends one frame at a time; a client that takes too long is closed."""

    def __init__(self, websocket: WebSocket, opening: Opening) -> None:
        state = cast("State", websocket.state)
        self._websocket = websocket
        self._session_id = opening.session_id
        self._sending = asyncio.Lock()
        self.delivery = Delivery(
            state["database"],
            opening.user_id,
            opening.session_id,
            opening.sent,
            state["large_frames"],
        )
        self.expected = ExpectedAnswers()
        self.was_too_slow = False

    async def deliver(self, listener: Listener) -> None:
        """Deliver what is heard until the client is gone, or too slow."""
        try:
            await self._deliver_for_ever(listener)
        except Exception:
            logger.exception("session %s: the delivery failed", self._session_id)
            await self.close(INTERNAL_ERROR, FAILED)

    async def _deliver_for_ever(self, listener: Listener) -> None:
        while True:
            message = await listener.get()
            try:
                async with aclosing(self.delivery.next_frames(message)) as frames:
                    async for outgoing in frames:
                        begun = time_ns()
                        if not await self.send(outgoing.frame):
                            return
                        if outgoing.answered is not None:
                            self.expected.answered(outgoing.answered, begun)
            except DatabaseAwayError as error:
                logger.warning("session %s is behind: %s", self._session_id, error)
                await asyncio.sleep(CATCH_UP_SECONDS)
                listener.put(None)

    async def close(self, code: int, reason: str) -> None:
        """Close the socket."""
        await close(self._websocket, code, reason)

    async def send(self, text: str) -> bool:
        """Send a frame; False: the client is gone, or so slow that it was closed."""
        seconds = SEND_SECONDS * (1 + len(text) // LARGE)
        try:
            async with self._sending, asyncio.timeout(seconds):
                await self._websocket.send_text(text)
        except TimeoutError:
            logger.info("session %s: a socket was too slow", self._session_id)
            self.was_too_slow = True
            await self.close(TRY_AGAIN_LATER, "too slow")
            return False
        except (WebSocketDisconnect, RuntimeError):  # RuntimeError: sent after the close
            return False
        return True
