"""Spans by OpenTelemetry. Imported only where they are wanted: it may not be installed."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, Status, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

SEND_SECONDS = 2.0  # a collector that is away holds up the end of the process for no longer

_propagator = TraceContextTextMapPropagator()


class OtlpTracer:
    """Makes spans and sends them in a thread; `OTEL_*` of the environment says more about both."""

    def __init__(self, endpoint: str, service: str) -> None:
        name = os.environ.get("OTEL_SERVICE_NAME", service)
        self._provider = TracerProvider(
            resource=Resource.create({SERVICE_NAME: name}), shutdown_on_exit=False
        )
        exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=SEND_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("genai")

    @contextmanager
    def span(
        self,
        name: str,
        parent: str | None,
        link: str | None,
        begun: int | None,
        attributes: dict[str, str],
    ) -> Iterator[None]:
        """A span until the block ends; of what the block raises it has the class only."""
        linked = get_current_span(_extract(link)).get_span_context()
        with self._tracer.start_as_current_span(
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

    def traceparent(self) -> str | None:
        """The current span in the form of W3C Trace Context."""
        carrier: dict[str, str] = {}
        _propagator.inject(carrier)
        return carrier.get("traceparent")

    async def close(self) -> None:
        """Send what was not sent yet, if the collector takes it at once."""
        sending = Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        await asyncio.to_thread(sending.join, SEND_SECONDS)


def _extract(traceparent: str | None) -> Context:
    return _propagator.extract({"traceparent": traceparent or ""}, Context())
