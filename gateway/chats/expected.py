"""The answers that a socket waits for: how long they take, from the message to their frame."""

from time import perf_counter
from uuid import UUID

from attrs import define, field, frozen

from gateway.web.metrics import DELIVERY_SECONDS
from shared.telemetry.tracing import span, traceparent

LIMIT = 100  # messages; of those before it is not known how long they took
RESPONSE = b'{"response":'
REQUEST_ID = b'"request_id":"'
ID_LENGTH = 36


@frozen
class _Message:
    begun: float
    traceparent: str | None


@define
class ExpectedAnswers:
    """The messages that came over a socket and were not answered there yet."""

    _messages: dict[bytes, _Message] = field(factory=dict, init=False)

    def expect(self, request_id: UUID) -> None:
        """A message has come; whether it will be accepted is not known yet."""
        while len(self._messages) >= LIMIT:
            del self._messages[next(iter(self._messages))]
        self._messages[str(request_id).encode()] = _Message(perf_counter(), traceparent())

    def sent(self, frame: bytes, begun: int) -> None:
        """A frame has gone out, begun at this nanosecond of the epoch.

        If it is the answer to one of the messages, that is measured.
        """
        if not self._messages or not frame.startswith(RESPONSE):
            return
        # Within texts the quotes are escaped, and the files that come later name the same request.
        start = frame.rfind(REQUEST_ID) + len(REQUEST_ID)
        message = self._messages.pop(frame[start : start + ID_LENGTH], None)
        if message is not None:
            DELIVERY_SECONDS.observe(perf_counter() - message.begun)
            with span("deliver", parent=message.traceparent, begun=begun):
                pass
