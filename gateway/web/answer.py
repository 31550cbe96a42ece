"""A JSON answer as it is sent: no faster than the client takes it, and not for ever."""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared.process.server import ABORT

logger = logging.getLogger(__name__)

PIECE_BYTES = 64 * 1024  # sent at a time; the server takes the next when this one is on its way
TAKE_SECONDS = 60.0  # in which a client has to take an answer

NO_HEADERS: Mapping[str, str] = {}
JSON = (b"content-type", b"application/json")


class Answer(Response):
    """JSON text in pieces, which are not kept longer than they are needed."""

    def __init__(
        self, pieces: Iterable[bytes], status: int, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        whole = [*pieces]
        self._size = sum(map(len, whole))
        self._pieces = whole[::-1] if self._size > PIECE_BYTES else [b"".join(whole)]
        super().__init__(None, status, headers)

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """What is known of each answer, and these."""
        others = [(name.lower().encode(), text.encode()) for name, text in (headers or {}).items()]
        self.raw_headers = [JSON, (b"content-length", b"%d" % self._size), *others]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; who does not take it in time is cut off.

        One piece is handed over at once: whoever takes nothing of it is the server's to cut off.
        """
        if len(self._pieces) == 1 and len(self._pieces[0]) <= PIECE_BYTES:
            await self._send(send)
            return
        try:
            async with asyncio.timeout(TAKE_SECONDS):
                await self._send(send)
        except TimeoutError:
            logger.info("%s %s: the client was too slow", scope["method"], scope["path"])
            scope["extensions"][ABORT]["abort"]()
            await asyncio.sleep(0)  # until the server knows: it would miss the rest

    async def _send(self, send: Send) -> None:
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        while self._pieces:
            piece = self._pieces.pop()
            for begin in range(0, len(piece) or 1, PIECE_BYTES):
                body = piece[begin : begin + PIECE_BYTES]
                more = bool(self._pieces) or begin + PIECE_BYTES < len(piece)
                await send({"type": "http.response.body", "body": body, "more_body": more})
