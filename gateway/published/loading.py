"""Loads the server side of A2A when it is first called: most gateways never are."""

from typing import TYPE_CHECKING

from gateway.a2a.loading import without_spans
from shared.process.later import Later

if TYPE_CHECKING:
    from gateway.published.server import Server


def load_server() -> "Server":
    """The server; it takes a second or so."""
    server: Server = Later("gateway.published.server", without_spans).load().Server()
    return server
