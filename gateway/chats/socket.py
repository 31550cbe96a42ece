"""The front-end's WebSocket, from its handshake to its close."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager, suppress
from typing import cast

from attrs import frozen
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
from shared.telemetry.logging import bind_log_ids

logger = logging.getLogger(__name__)

READ_OUT_SECONDS = 10.0


async def serve_frontend(websocket: WebSocket) -> None:
    """Serve one socket from its handshake to its close."""
    sockets = cast("State", websocket.state)["sockets"]
    try:
        opening = await check_handshake(websocket)
        bind_log_ids(user_id=opening.user_id, session_id=opening.session_id)
        async with _follow(websocket, opening) as feed:
            sender = Sender(websocket, opening)
            reader = Reader(websocket, opening, sender, feed.delivery)
            with sockets.opened(opening.caller, _Socket(reader, sender)):
                await websocket.accept()
                await _run(reader, sender, feed)
    except TooManySocketsError:
        log_refusal(TOO_MANY_SOCKETS, websocket)
        await _refuse(websocket, "too many open sockets", TRY_AGAIN_LATER)
    except GoingDownError:
        await _refuse(websocket, RESTARTING, SERVICE_RESTART)
    except RefusedError as refused:
        await _refuse(websocket, refused.reason, refused.code)
    except Exception:
        # The server would send no close frame: the client would see a cut cable.
        logger.exception("a socket failed")
        await close(websocket, INTERNAL_ERROR, FAILED)


async def _refuse(websocket: WebSocket, reason: str, code: int | None) -> None:
    # A refused handshake logs the front-end's user out: only for dead tokens, no UUIDs, and the
    # pages of others.
    if code is None:
        await websocket.close(POLICY_VIOLATION, reason)
    else:
        await close(websocket, code, reason)


@frozen(eq=False)
class _Socket:
    """An open one."""

    reader: Reader
    sender: Sender

    async def leave(self, seconds: float) -> None:
        """Close, for the client to go on elsewhere: not before what it waits for has come.

        A front-end that does not reconnect would wait for ever.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.reader.finish()
                await self.sender.expected.until_answered()
        await self.sender.close(SERVICE_RESTART, RESTARTING)

    async def close(self, why: Over) -> None:
        """Close now, and take nothing that still comes."""
        self.reader.stop()
        await self.sender.close(UNAUTHORIZED, why.value)


def _follow(websocket: WebSocket, opening: Opening) -> AbstractAsyncContextManager[Feed]:
    return follow(
        cast("State", websocket.state),
        opening.user_id,
        opening.session_id,
        opening.sent,
        with_parts=opening.wording.has_parts,
    )


async def _run(reader: Reader, sender: Sender, feed: Feed) -> None:
    """Run until the client leaves or is too slow; what it sent by then is stored."""
    delivering = asyncio.create_task(sender.deliver(feed))
    try:
        async with asyncio.timeout(None) as limit:
            delivering.add_done_callback(lambda _: _read_out(sender, limit))
            await reader.read()
    except TimeoutError:
        logger.debug("a socket was not read out")
    finally:
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)  # it has told what it raised
        await reader.finish()
        sender.expected.clear()


def _read_out(sender: Sender, limit: asyncio.Timeout) -> None:
    """Go on reading for a while: of a client that has gone what it sent may still be coming."""
    seconds = 0 if sender.was_too_slow else READ_OUT_SECONDS
    with suppress(RuntimeError):  # it has hung up by now
        limit.reschedule(asyncio.get_running_loop().time() + seconds)
