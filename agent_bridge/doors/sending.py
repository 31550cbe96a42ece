"""Sending over a door's connection: who takes nothing any more loses it, and holds up nobody."""

import asyncio
import logging

from websockets.asyncio.server import ServerConnection

logger = logging.getLogger(__name__)

SEND_SECONDS = 20.0


async def send_in_time(client: ServerConnection, text: str) -> None:
    """Send a frame, or end the connection. Raises ConnectionClosed."""
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await client.send(text)
    except TimeoutError:
        logger.warning("a connection at the door is ended: it takes nothing any more")
        client.transport.abort()
