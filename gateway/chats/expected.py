"""The answers that a socket waits for: how long they take, from the message to their frame."""

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

    def expect(self, request_id: UUID) -> None:
        """A message has come; whether it will be accepted is not known yet."""
        while len(self._messages) >= LIMIT:
            del self._messages[next(iter(self._messages))]
        self._messages[request_id] = _Message(perf_counter(), traceparent())

    def answered(self, request_id: UUID, begun: int) -> None:
        """An answer has gone out, begun at this nanosecond of the epoch: not all were expected."""
        message = self._messages.pop(request_id, None)
        if message is not None:
            DELIVERY_SECONDS.observe(perf_counter() - message.begun)
            with span("deliver", parent=message.traceparent, begun=begun):
                pass
