"""An answer that takes as long as its client: it is made no faster than it is taken."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.types import Receive, Scope, Send

from gateway.files.storage import StorageAwayError
from gateway.streams.sse import Leaving, until, until_gone
from gateway.web.metrics import STREAMS_OPEN
from shared.postgres.pool import DatabaseAwayError
from shared.process.server import ABORT

logger = logging.getLogger(__name__)

SEND_SECONDS = 60.0  # for a piece; a client that takes none for so long is cut off


class Download(Leaving):
    """Pieces to the end, or a connection that is cut: half of an archive must not look whole."""

    def __init__(self, pieces: AsyncGenerator[bytes], media_type: str, disposition: str) -> None:
        headers = {"Cache-Control": "no-store", "Content-Disposition": disposition}
        super().__init__(headers={**headers, "Content-Type": media_type})
        del self.headers["content-length"]
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        is_whole = scope["method"] == "HEAD" or await self._send(receive, send)
        if is_whole:
            await send({"type": "http.response.body", "body": b""})
        else:
            scope["extensions"][ABORT]["abort"]()

    async def _send(self, receive: Receive, send: Send) -> bool:
        """Whether it was sent to its end."""
        with STREAMS_OPEN.track_inprogress():
            telling = asyncio.create_task(self._tell(send))
            others = [
                asyncio.create_task(until_gone(receive)),
                asyncio.create_task(until(self._is_left)),
            ]
            try:
                await asyncio.wait((telling, *others), return_when=asyncio.FIRST_COMPLETED)
                return telling.done() and telling.result()
            finally:
                for task in (telling, *others):
                    task.cancel()
                await asyncio.gather(telling, *others, return_exceptions=True)

    async def _tell(self, send: Send) -> bool:
        try:
            async with aclosing(self._pieces) as pieces:
                async for piece in pieces:
                    async with asyncio.timeout(SEND_SECONDS):
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
        except (TimeoutError, DatabaseAwayError, StorageAwayError) as error:
            logger.warning("a download is cut off: %s: %s", type(error).__name__, error)
            return False
        return True
