"""Traces: one for each chat message, through both services; nothing where nobody collects them.

Spans have names and ids, and no text that anybody wrote.
"""

import importlib
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from shared.telemetry.otlp import OtlpTracer

_nothing = nullcontext()
_tracers: list["OtlpTracer"] = []  # one, or none


def span(
    name: str,
    *,
    parent: str | None = None,
    link: str | None = None,
    begun: int | None = None,
    **ids: UUID,
) -> AbstractContextManager[None]:
    """A part of a trace: within `parent`, else within the current span, else a trace of its own.

    `parent` and `link`, which only names another trace, are `traceparent` headers; one that is
    not valid counts as none. `begun` is in nanoseconds of the epoch, if not now.
    """
    if not _tracers:
        return _nothing
    attributes = {f"genai.{key}": str(id_) for key, id_ in ids.items()}
    return _tracers[0].span(name, parent, link, begun, attributes)


def traceparent() -> str | None:
    """What others need to add to the current span; None: there is none."""
    return _tracers[0].traceparent() if _tracers else None


@asynccontextmanager
async def export_traces(endpoint: str | None, service: str) -> AsyncIterator[None]:
    """Send spans to an OTLP/HTTP collector until the block ends; without one nothing is loaded.

    Raises ImportError where the extra `tracing` is not installed.
    """
    if endpoint is None:
        yield
        return
    otlp = importlib.import_module("shared.telemetry.otlp")
    tracer: OtlpTracer = otlp.OtlpTracer(endpoint, service)
    _tracers.append(tracer)
    try:
        yield
    finally:
        _tracers.remove(tracer)
        await tracer.close()
