"""The sessions that a visit has made at an MCP server, which none of them outlives."""

import logging

import httpx2
from mcp.client.streamable_http import MCP_SESSION_ID

from gateway.remote.credentials import Credentials
from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import Outbound
from gateway.remote.urls import show

logger = logging.getLogger(__name__)

GOODBYE_SECONDS = 5.0
ENDED_LIMIT = 4  # sessions; a visit needs two


class Sessions:
    """Those that a server has named and that have not been ended."""

    def __init__(self) -> None:
        self._open: dict[str, None] = {}

    async def note(self, answer: httpx2.Response) -> None:
        """Note what an answer says of them."""
        asked = answer.request
        if asked.method == "DELETE":
            self._open.pop(asked.headers.get(MCP_SESSION_ID, ""), None)
        elif (named := answer.headers.get(MCP_SESSION_ID)) and asked.method == "POST":
            self._open[named] = None

    async def end(self, outbound: Outbound, url: str, credentials: Credentials | None) -> None:
        """End those that are left: of the question whether it is new, and of failures."""
        ids = list(self._open)[:ENDED_LIMIT]
        if not ids:
            return
        try:
            async with outbound.visit(seconds=GOODBYE_SECONDS, credentials=credentials) as http:
                for id_ in ids:
                    await http.delete(url, headers={MCP_SESSION_ID: id_})
        except UnreachableError as error:
            logger.info("MCP server %s: its session could not be ended: %s", show(url), error)
