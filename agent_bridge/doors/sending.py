"""Sending to whoever is connected, who may take nothing any more."""

import asyncio
import logging

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

logger = logging.getLogger(__name__)

SEND_SECONDS = 20.0


async def send(client: ServerConnection, frame: str, who: str, seconds: float = 0.0) -> None:
    """Send a frame, or end the connection; nothing where it has ended by itself.

    It may take so many seconds, by default SEND_SECONDS.
    """
    try:
        async with asyncio.timeout(seconds or SEND_SECONDS):
            await client.send(frame)
    except TimeoutError:
        logger.warning("%s takes nothing any more: its connection is ended", who)
        client.transport.abort()
    except ConnectionClosed:
        logger.debug("%s had gone by itself", who)
