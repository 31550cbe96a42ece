"""The sessions that a visit has made at an MCP server: none outlives it where that does no harm."""

import logging
import re

import httpx2
from mcp.client.streamable_http import MCP_SESSION_ID

from gateway.remote.credentials import Credentials
from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import Outbound
from gateway.remote.urls import show

logger = logging.getLogger(__name__)

GOODBYE_SECONDS = 5.0
ENDED_LIMIT = 4  # sessions; a visit needs two

_id = re.compile("[!-~]+")  # as the specification has it; nothing else could be sent


class Sessions:
    """Those that a server has named and that have not been ended."""

    def __init__(self) -> None:
        self._open: dict[str, None] = {}
        self.has_any = False
        """Whether the server has named one, ended or not."""

    async def note(self, answer: httpx2.Response) -> None:
        """Note what an answer says of them."""
        asked = answer.request
        if asked.method == "DELETE":
            self._open.pop(asked.headers.get(MCP_SESSION_ID, ""), None)
        elif asked.method == "POST" and _id.fullmatch(answer.headers.get(MCP_SESSION_ID, "")):
            self._open[answer.headers[MCP_SESSION_ID]] = None
            self.has_any = True

    def leave(self) -> None:
        """Leave them all to the server."""
        self._open.clear()

    async def end(self, http: httpx2.AsyncClient, url: str) -> None:
        """End them all. Raises what the client raises."""
        for id_ in list(self._open)[:ENDED_LIMIT]:
            await http.delete(url, headers={MCP_SESSION_ID: id_})

    async def end_later(
        self, outbound: Outbound, url: str, credentials: Credentials | None
    ) -> None:
        """End by a visit of its own those that are left by one that has failed."""
        if not self._open:
            return
        try:
            async with outbound.visit(seconds=GOODBYE_SECONDS, credentials=credentials) as http:
                await self.end(http, url)
        except UnreachableError as error:
            logger.info("MCP server %s: its session could not be ended: %s", show(url), error)
