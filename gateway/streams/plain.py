"""An answer in one piece, for whoever waits until it is there."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.streams.sse import Leaving, nothing, until, until_gone
from gateway.web.errors import ApiError
from gateway.web.metrics import STREAMS_OPEN


def _refuse(why: ApiError) -> Response:
    raise why


class Awaited(Leaving):
    """Makes the answer while its client waits.

    A gateway that goes down waits too, for as long as it can. What is raised is answered as
    anywhere.
    """

    def __init__(
        self,
        make: Callable[[], Awaitable[Response]],
        *,
        on_hang_up: Callable[[], Awaitable[None]] = nothing,
        farewell: Callable[[ApiError], Response] = _refuse,
    ) -> None:
        """`on_hang_up` is called when nobody waits for the end any more.

        A gateway that goes down before it answers `farewell`, which is given the reason, as
        where the caller may not call any more.
        """
        super().__init__()
        self._make = make
        self._on_hang_up = on_hang_up
        self._farewell = farewell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer when it is there. Raises what making it raises, or the farewell."""
        made: list[Response] = []
        raised: list[Exception] = []
        with STREAMS_OPEN.track_inprogress():
            making = asyncio.create_task(self._make_into(made, raised))
            gone = asyncio.create_task(until_gone(receive))
            left = asyncio.create_task(until(self._is_left))
            ends = {making, gone, left}
            try:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                is_gone = gone.done()
            finally:
                for task in ends:
                    task.cancel()
                await asyncio.gather(*ends, return_exceptions=True)
        if raised:
            raise raised.pop()
        if made:
            await made.pop()(scope, receive, send)
            return
        await self._on_hang_up()
        if not is_gone:
            await self._farewell(self._why)(scope, receive, send)

    async def _make_into(self, made: list[Response], raised: list[Exception]) -> None:
        """A task that raises would keep its error, which keeps it: that is raised elsewhere."""
        try:
            made.append(await self._make())
        except Exception as error:  # noqa: BLE001 (it is answered)
            raised.append(error)
