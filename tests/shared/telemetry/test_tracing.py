"""Spans: none where nobody collects them, and nothing in them that anybody wrote."""

import asyncio

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from devstack.processes import HOST, free_port
from shared.telemetry.tracing import export_traces, span, traceparent
from tests.collector import run_collector

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


async def test_without_a_collector_nothing_is_traced() -> None:
    async with export_traces(None, "service"):
        with span("accept", parent=PARENT):
            assert traceparent() is None


async def test_what_fails_shows_its_class_and_not_its_words() -> None:
    with run_collector() as collector:
        async with export_traces(collector.url, "service"):
            with pytest.raises(LookupError), span("accept"):
                raise LookupError("sk-secret")
    [(service, sent)] = collector.spans
    assert (service, sent.name) == ("service", "accept")
    assert (sent.status.code, sent.status.message) == (Status.STATUS_CODE_ERROR, "LookupError")
    assert b"sk-secret" not in b"".join(collector.bodies)


@pytest.mark.parametrize(
    ("parent", "continued"),
    [
        (PARENT, True),
        (f"00-{TRACE}-b7ad6b7169203331-00", True),
        ("", False),
        (PARENT.upper().replace("00-", "0-", 1), False),
        (f"00-{'0' * 32}-b7ad6b7169203331-01", False),
        (f"{PARENT}-more", False),
        ("x" * 10_000, False),
        ("\x00\n", False),
    ],
)
async def test_a_trace_is_continued_if_its_header_is_valid(parent: str, continued: bool) -> None:
    with run_collector() as collector:
        async with export_traces(collector.url, "service"):
            with span("read", parent=parent, link=parent):
                assert (TRACE in (traceparent() or "")) == continued


async def test_a_collector_that_is_away_holds_nothing_up() -> None:
    async with asyncio.timeout(5):
        async with export_traces(f"http://{HOST}:{free_port()}", "service"):
            with span("accept"):
                assert traceparent()
