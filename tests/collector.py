"""A collector of traces: OTLP over HTTP, parsed by OpenTelemetry's own protocol."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from attrs import define, field
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from devstack.processes import HOST, free_port


@define
class Collector:
    """What a collector was sent."""

    port: int
    bodies: list[bytes] = field(factory=list)

    @property
    def url(self) -> str:
        """What OTEL_EXPORTER_OTLP_ENDPOINT is to be."""
        return f"http://{HOST}:{self.port}/"

    @property
    def spans(self) -> list[tuple[str, Span]]:
        """All spans, each with the name of its service."""
        return [
            (_service_of(resource.resource), span)
            for body in list(self.bodies)
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


def _service_of(resource: Resource) -> str:
    values = {each.key: each.value.string_value for each in resource.attributes}
    return str(values["service.name"])


@contextmanager
def run_collector() -> Iterator[Collector]:
    """A collector of traces that is there until the block ends."""
    collector = Collector(free_port())

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer((HOST, collector.port), Handler)
    serving = Thread(target=server.serve_forever)
    serving.start()
    try:
        yield collector
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
