"""The front-end's WebSocket, from its handshake to its close."""

import asyncio
import contextvars
import logging
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from typing import cast

from starlette.websockets import WebSocket

from gateway.chats.closes import (
    FAILED,
    INTERNAL_ERROR,
    POLICY_VIOLATION,
    RESTARTING,
    SERVICE_RESTART,
    TRY_AGAIN_LATER,
    UNAUTHORIZED,
    close,
)
from gateway.chats.handshake import Opening, RefusedError, check_handshake
from gateway.chats.reader import Reader
from gateway.chats.sender import Sender
from gateway.state import State
from gateway.streams.following import Feed, follow
from gateway.streams.sockets import GoingDownError, Over, TooManySocketsError
from gateway.web.refusals import TOO_MANY_SOCKETS, log_refusal
from gateway.web.sockets import go_on
from shared.telemetry.logging import bind_log_ids

logger = logging.getLogger(__name__)

READ_OUT_SECONDS = 10.0


async def serve_frontend(websocket: WebSocket) -> None:
    """Serve one socket from its handshake to its close."""
    try:
        opening = await check_handshake(websocket)
    except RefusedError as refused:
        await _refuse(websocket, refused.reason, refused.code)
    except Exception:
        logger.exception("a socket failed")
        await _fail(websocket)
    else:
        bind_log_ids(user_id=opening.user_id, session_id=opening.session_id)
        await go_on(websocket, partial(_serve, opening))


async def _serve(opening: Opening, websocket: WebSocket) -> None:
    sockets = cast("State", websocket.state)["sockets"]
    try:
        async with _follow(websocket, opening) as feed:
            socket = _Socket(websocket, opening, feed)
            with sockets.opened(opening.caller, socket):
                await websocket.accept()
                await socket.serve()
    except TooManySocketsError:
        log_refusal(TOO_MANY_SOCKETS, websocket)
        await _refuse(websocket, "too many open sockets", TRY_AGAIN_LATER)
    except GoingDownError:
        await _refuse(websocket, RESTARTING, SERVICE_RESTART)
    except Exception:
        logger.exception("a socket failed")
        await _fail(websocket)


async def _refuse(websocket: WebSocket, reason: str, code: int | None) -> None:
    # A refused handshake logs the front-end's user out: only for dead tokens, no UUIDs, and the
    # pages of others.
    if code is None:
        await websocket.close(POLICY_VIOLATION, reason)
    else:
        await close(websocket, code, reason)


async def _fail(websocket: WebSocket) -> None:
    """Close: the server would send no close frame, and the client see a cut cable."""
    await close(websocket, INTERNAL_ERROR, FAILED)


def _follow(websocket: WebSocket, opening: Opening) -> AbstractAsyncContextManager[Feed]:
    return follow(
        cast("State", websocket.state),
        opening.user_id,
        opening.session_id,
        opening.sent,
        with_parts=opening.wording.has_parts,
    )


class _Socket:
    """An open one. Its one task reads; another one sends, but only while there is something."""

    __slots__ = ("_context", "_delivering", "_feed", "_limit", "_reader", "_sender")

    def __init__(self, websocket: WebSocket, opening: Opening, feed: Feed) -> None:
        self._feed = feed
        self._sender = Sender(websocket, opening)
        self._reader = Reader(websocket, opening, self._sender, feed.delivery)
        self._limit = asyncio.timeout(None)
        self._context = contextvars.copy_context()  # what is logged says whom it is about
        self._delivering: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Run until the client leaves or is too slow; what it sent by then is stored."""
        try:
            async with self._limit:
                self._feed.tell(self._deliver)
                await self._reader.read()
        except TimeoutError:
            logger.debug("a socket was not read out")
        finally:
            self._feed.tell(None)
            delivering, self._delivering = self._delivering, None  # its error would keep this
            if delivering is not None:
                delivering.cancel()
                await asyncio.gather(delivering, return_exceptions=True)
            await self._reader.finish()
            self._sender.expected.clear()

    def _deliver(self) -> None:
        if self._delivering is None:
            delivering = self._deliver_all()
            self._delivering = asyncio.create_task(delivering, context=self._context)

    async def _deliver_all(self) -> None:
        """Deliver what has come so far, and what comes meanwhile."""
        if await self._sender.deliver(self._feed):
            self._delivering = None
        else:
            self._read_out()

    def _read_out(self) -> None:
        """Go on reading for a while: of a client that has gone what it sent may still be coming."""
        seconds = 0 if self._sender.was_too_slow else READ_OUT_SECONDS
        with suppress(RuntimeError):  # it has hung up by now
            self._limit.reschedule(asyncio.get_running_loop().time() + seconds)

    async def leave(self, seconds: float) -> None:
        """Close, for the client to go on elsewhere: not before what it waits for has come.

        A front-end that does not reconnect would wait for ever.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._reader.finish()
                await self._sender.expected.until_answered()
        await self._sender.close(SERVICE_RESTART, RESTARTING)

    async def close(self, why: Over) -> None:
        """Close now, and take nothing that still comes."""
        self._reader.stop()
        await self._sender.close(UNAUTHORIZED, why.value)
