"""What leaves a socket: the frames of its session in order, and replies in between."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from time import time_ns
from uuid import UUID

from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.chats.closes import FAILED, INTERNAL_ERROR, TRY_AGAIN_LATER, close
from gateway.chats.expected import ExpectedAnswers
from gateway.chats.handshake import Opening
from gateway.streams.delivery import Outgoing
from gateway.streams.events import Part
from gateway.streams.following import Feed
from shared.process.sockets import EARLIER, SEND

logger = logging.getLogger(__name__)

SEND_SECONDS = 20.0  # for each begun
LARGE = 1024 * 1024  # characters of a frame


class Sender:
    """Sends what it is given at a time; a client that takes too long is closed."""

    __slots__ = (
        *("_accepting", "_sending", "_session_id", "_websocket", "_wording"),
        *("expected", "was_too_slow"),
    )

    def __init__(self, websocket: WebSocket, opening: Opening) -> None:
        self._websocket = websocket
        self._session_id = opening.session_id
        self._wording = opening.wording
        self._sending = asyncio.Lock()
        self._accepting: dict[UUID, asyncio.Event] = {}
        self.expected = ExpectedAnswers()
        self.was_too_slow = False

    async def deliver(self, feed: Feed) -> bool:
        """Deliver what has come; False: the client is gone, or was closed."""
        try:
            return await self._deliver(feed)
        except Exception:
            logger.exception("session %s: the delivery failed", self._session_id)
            await self.close(INTERNAL_ERROR, FAILED)
            return False

    async def _deliver(self, feed: Feed) -> bool:
        async with aclosing(feed.groups(is_endless=False)) as groups:
            async for group in groups:
                await self._until_accepted(group)
                begun = time_ns()
                if not await self.send(*map(self._wording.tell, group)):
                    return False
                for event in group:
                    if isinstance(event, Outgoing) and event.is_answer and event.request:
                        self.expected.answered(event.request.id, begun)
        return True

    async def _until_accepted(self, group: Sequence[Outgoing | Part]) -> None:
        if not self._accepting:
            return
        for event in group:
            if event.request and (is_said := self._accepting.get(event.request.id)):
                await is_said.wait()

    @contextmanager
    def accepting(self, request_id: UUID) -> Iterator[None]:
        """Send nothing of a request until the block has said that it is accepted."""
        self._accepting[request_id] = is_said = asyncio.Event()
        try:
            yield
        finally:
            del self._accepting[request_id]
            is_said.set()

    async def close(self, code: int, reason: str) -> None:
        """Close the socket."""
        await close(self._websocket, code, reason)

    async def send(self, *frames: str) -> bool:
        """Send frames at once; False: the client is gone, or so slow that it was closed."""
        if not frames:
            return True
        seconds = SEND_SECONDS * (1 + sum(map(len, frames)) // LARGE)
        *earlier, last = frames
        try:
            async with self._sending, asyncio.timeout(seconds):
                await self._websocket.send({"type": SEND, "text": last, EARLIER: earlier})
        except TimeoutError:
            logger.info("session %s: a socket was too slow", self._session_id)
            self.was_too_slow = True
            await self.close(TRY_AGAIN_LATER, "too slow")
            return False
        except (WebSocketDisconnect, RuntimeError):  # RuntimeError: sent after the close
            return False
        return True
