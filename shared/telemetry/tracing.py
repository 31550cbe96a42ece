"""Traces: one for each chat message, through both services; nothing where nobody collects them.

Spans have names and ids, and no text that anybody wrote. What collects and sends them is the SDK of
OpenTelemetry, which is only loaded, and has only to be installed, where somebody wants them.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from threading import Thread
from typing import TYPE_CHECKING
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.trace import Link, Status, StatusCode, Tracer, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

SEND_SECONDS = 2.0  # a collector that is away holds up the end of the process for no longer

NO_HEADERS: Mapping[str, str] = {}

_nothing = nullcontext()
_propagator = TraceContextTextMapPropagator()
_tracers: list[Tracer] = []  # one, or none: a span that does nothing costs 7 µs by the API


def span(
    name: str,
    *,
    parent: str | None = None,
    headers: Mapping[str, str] = NO_HEADERS,
    link: str | None = None,
    begun: int | None = None,
    **ids: UUID,
) -> AbstractContextManager[None]:
    """A part of a trace: within `parent`, else within the current span, else a trace of its own.

    `parent`, which may be among `headers` of a request, and `link`, which only names another trace,
    are `traceparent` headers; one that is not valid counts as none. `begun` is in nanoseconds of
    the epoch, if not now. Of what the block raises the span has the class only.
    """
    if not _tracers:
        return _nothing
    attributes = {f"genai.{key}": str(id_) for key, id_ in ids.items()}
    parent = parent or headers.get("traceparent")
    return _span(name, parent, link, begun, attributes)


@contextmanager
def _span(
    name: str,
    parent: str | None,
    link: str | None,
    begun: int | None,
    attributes: dict[str, str],
) -> Iterator[None]:
    linked = get_current_span(_extract(link)).get_span_context()
    with _tracers[0].start_as_current_span(
        name,
        context=_extract(parent) if parent else None,
        links=[Link(linked)] if link and linked.is_valid else [],
        attributes=attributes,
        start_time=begun,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except Exception as error:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def _extract(traceparent: str | None) -> Context:
    return _propagator.extract({"traceparent": traceparent or ""}, Context())


def traceparent() -> str | None:
    """What others need to add to the current span (W3C Trace Context); None: there is none."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")


@asynccontextmanager
async def export_traces(endpoint: str | None, service: str) -> AsyncIterator[None]:
    """Send spans to an OTLP/HTTP collector until the block ends; without one nothing is loaded.

    `OTEL_*` of the environment says more about both. Raises ImportError where the extra `tracing`
    is not installed.
    """
    if endpoint is None:
        yield
        return
    provider = _create_provider(endpoint, os.environ.get("OTEL_SERVICE_NAME", service))
    tracer = provider.get_tracer("genai")
    _tracers.append(tracer)
    try:
        yield
    finally:
        _tracers.remove(tracer)
        sending = Thread(target=provider.shutdown, daemon=True)
        sending.start()
        await asyncio.to_thread(sending.join, SEND_SECONDS)


def _create_provider(endpoint: str, service: str) -> "TracerProvider":
    # ruff: noqa: PLC0415 (may not be installed)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({SERVICE_NAME: service})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=SEND_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
