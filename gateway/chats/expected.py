"""The answers that a socket waits for: whether any is to come, and how long they take."""

import asyncio
from time import perf_counter
from uuid import UUID

from attrs import define, field, frozen

from gateway.web.metrics import DELIVERY_SECONDS
from shared.telemetry.tracing import span, traceparent

LIMIT = 100  # messages; of those before it is not known how long they took


@frozen
class _Message:
    begun: float
    traceparent: str | None


@define
class ExpectedAnswers:
    """The messages that came over a socket and were not answered there yet."""

    _messages: dict[UUID, _Message] = field(factory=dict, init=False)
    _fewer: asyncio.Event | None = field(default=None, init=False)

    def expect(self, request_id: UUID) -> None:
        """A message has come; whether it will be accepted is not known yet."""
        while len(self._messages) >= LIMIT:
            self._take(next(iter(self._messages)))
        self._messages[request_id] = _Message(perf_counter(), traceparent())

    def forget(self, request_id: UUID) -> None:
        """There will be no answer: the message was refused, or is that of another request."""
        self._take(request_id)

    def answered(self, request_id: UUID, begun: int) -> None:
        """An answer has gone out, begun at this nanosecond of the epoch: not all were expected."""
        message = self._take(request_id)
        if message is not None:
            DELIVERY_SECONDS.observe(perf_counter() - message.begun)
            with span("deliver", parent=message.traceparent, begun=begun):
                pass

    def clear(self) -> None:
        """Nobody waits any more."""
        self._messages.clear()
        if self._fewer is not None:
            self._fewer.set()

    async def until_answered(self) -> None:
        """Wait until none is to come."""
        while self._messages:
            self._fewer = self._fewer or asyncio.Event()
            self._fewer.clear()
            await self._fewer.wait()

    def _take(self, request_id: UUID) -> _Message | None:
        if self._fewer is not None:
            self._fewer.set()
        return self._messages.pop(request_id, None)
