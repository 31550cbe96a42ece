"""Listening to a session before a request of it is stored: so nothing of it is looked up later."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from uuid import UUID

from shared.notifications.bus import Listener, Notifications

CONFIRM_SECONDS = 0.1


class Heard:
    """Listeners by the requests that will be followed with them."""

    def __init__(self, notifications: Notifications) -> None:
        self._notifications = notifications
        self._listeners: dict[UUID, Listener] = {}

    @asynccontextmanager
    async def hear(self, request_id: UUID, *channels: str) -> AsyncIterator[None]:
        """Listen from now on for the sake of a request that is about to be asked."""
        async with self._notifications.subscribe(*channels) as listener:
            self._listeners[request_id] = listener
            try:
                yield
            finally:
                self._listeners.pop(request_id, None)

    async def until_heard(self, request_id: UUID) -> None:
        """Wait until the server has confirmed that it listens, but not long: it may be away.

        What has come by then was before the request.
        """
        if listener := self._listeners.get(request_id):
            await listener.get_all(CONFIRM_SECONDS)

    def has_begun(self, request_id: UUID) -> None:
        """A request was stored just now: what could be missed before is of no concern.

        Where somebody has worked on it by now, and told so before the server had confirmed that it
        is listened to, that is found as what is lost.
        """
        if listener := self._listeners.get(request_id):
            listener.forget_gap()

    def listen(
        self, request_id: UUID | None, *channels: str
    ) -> AbstractAsyncContextManager[Listener]:
        """The listener of a request if it has one, else a new one."""
        listener = self._listeners.pop(request_id, None) if request_id else None
        if listener is not None:
            return nullcontext(listener)
        return self._notifications.subscribe(*channels)
