"""What happens to a request, as a stream hears of it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from gateway.completions.speech import Asked
from gateway.streams.events import Part
from shared.domain.frames import (
    FailureFrame,
    LogEntry,
    LogFrame,
    Response,
    ResponseFrame,
    answer_from,
    failure,
)
from shared.notifications.formats import Request

REQUEST, SESSION, AGENT = UUID(int=1), UUID(int=2), UUID(int=3)
ASKED = Asked(REQUEST, 1_700_000_000, "quick")
NOW = datetime(2026, 11, 29, tzinfo=UTC)


def part(text: str, agent_id: UUID | None = None) -> Part:
    """What the answer, or an agent's own text, goes on with."""
    return Part(Request(REQUEST), agent_id, 0, text)


def log(message: str) -> LogFrame:
    """A log entry."""
    return LogFrame(LogEntry(SESSION, REQUEST, "info", message, None, str(AGENT), NOW, NOW), 1)


def answer(text: str, **others: Any) -> ResponseFrame:
    """The answer, and what else it says."""
    given = answer_from({"response": text, **others})
    return ResponseFrame(Response(True, 0.5, given, REQUEST, SESSION), 2)


def failed(reason: str) -> FailureFrame:
    """The end of a request that failed."""
    return FailureFrame(Response(False, 0.5, failure(reason), REQUEST, SESSION), 2, error=reason)
