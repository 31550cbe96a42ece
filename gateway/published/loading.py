"""Loads the server side of A2A when it is first called: most gateways never are."""

import asyncio
from typing import TYPE_CHECKING

from gateway.a2a.loading import without_spans
from shared.process.later import Later

if TYPE_CHECKING:
    from gateway.published.server import Server


class LoadedServer:
    """The server, in the process once."""

    def __init__(self) -> None:
        self._loading = asyncio.Lock()
        self._server: Server | None = None

    async def get(self) -> "Server":
        """The server, as soon as it is there; others are served meanwhile."""
        async with self._loading:
            if self._server is None:
                self._server = await asyncio.to_thread(_load)
            return self._server


def _load() -> "Server":
    server: Server = Later("gateway.published.server", without_spans).load().Server()
    return server
