"""Loads the server side of A2A when it is first called: most gateways never are."""

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

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
    """Without the spans that the package wraps all it does in.

    They keep each error in a cycle with the call that made it, and tell what clients have sent.
    """
    telemetry: Any = import_module("a2a.utils.telemetry")
    telemetry.trace_class = _leave_as_it_is
    server: Server = import_module("gateway.published.server").Server()
    return server


def _leave_as_it_is(**_: object) -> Any:
    return lambda decorated: decorated
