"""How the front-end's sockets are closed: the codes, and reasons that several places give."""

import asyncio
import logging

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

logger = logging.getLogger(__name__)

POLICY_VIOLATION = 1008
INTERNAL_ERROR = 1011
SERVICE_RESTART = 1012
TRY_AGAIN_LATER = 1013
UNAUTHORIZED = 3000  # of the registry of close codes (RFC 6455, 11.7)

CLOSE_CODES = {
    1002: "What came was no WebSocket frame.",
    1007: "A text frame was no UTF-8.",
    POLICY_VIOLATION: (
        "What the URL says can't be met, or the session is another user's: do not try again."
    ),
    1009: "A frame was far too large.",
    INTERNAL_ERROR: "The server failed, or heard no answer to its pings: reconnect with `after`.",
    SERVICE_RESTART: "The server is restarting: reconnect with `after`.",
    TRY_AGAIN_LATER: (
        "The client took its frames too slowly, the database is away, or the user has too many "
        "open sockets: reconnect later, with `after`."
    ),
    UNAUTHORIZED: (
        "The token is over, or was revoked: connect again with another one, and with `after`."
    ),
}

RESTARTING = "restarting"
FAILED = "internal error"


async def close(websocket: WebSocket, code: int, reason: str) -> None:
    """Close a socket, which is opened before if need be: a refused one logs its user out."""
    try:
        async with asyncio.timeout(1):
            if websocket.application_state is WebSocketState.CONNECTING:
                await websocket.accept()
            await websocket.close(code, reason)
    except (TimeoutError, WebSocketDisconnect, RuntimeError):
        logger.debug("no close frame could be sent")
