"""One chat through real processes is one trace at a real OTLP/HTTP collector."""

from collections.abc import AsyncIterator
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from attrs import frozen
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from websockets.asyncio.client import connect

from tests.collector import run_collector
from tests.master import run_master
from tests.system import Stores
from tests.users import Chat, eventually, register_user

TRACE, SPAN = uuid4().hex, uuid4().hex[:16]
OUTSIDE = f"00-{TRACE}-{SPAN}-01"
SECRET = f"a message {uuid4()}"

CHAT = {"accept", "claim", "run", "compose", "invoke", "end", "deliver"}


@frozen
class Traced:
    """A chat and a list of chats that were traced, and all that was written meanwhile."""

    services: dict[str, str]
    spans: dict[str, Span]
    """By name; each came once."""
    bodies: bytes
    secrets: list[str]
    request_id: str


@pytest.fixture(scope="module")
async def traced(anyio_backend: str, stores: Stores) -> AsyncIterator[Traced]:
    with run_collector() as collector, stores.system() as system:
        tracing = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        system.start_router()
        system.start_gateway(**tracing)
        system.start_bridge(**tracing)
        async with (
            register_user(system.gateway) as user,
            run_master(system.router_url) as master,
        ):
            await user.create_config(api_key="sk-user-secret")
            collector.bodies.clear()
            session_id = str(uuid4())
            query = urlencode({"token": user.token, "session_id": session_id})
            headers = {"traceparent": OUTSIDE}
            url = f"{user.socket_url}?{query}"
            async with connect(url, compression=None, additional_headers=headers) as connection:
                answer = await Chat(connection, session_id).ask(SECRET)
            await user.http.get("/api/chats", headers=headers)

            async def complete() -> bool:
                return {span.name for _, span in collector.spans} >= {*CHAT, "list_chats"}

            await eventually(complete, "all spans have come")
            spans = [span for _, span in collector.spans]
            yield Traced(
                services={span.name: service for service, span in collector.spans},
                spans={span.name: span for span in spans},
                bodies=b"".join(collector.bodies),
                secrets=[SECRET, "sk-user-secret", user.token, user.name],
                request_id=answer["response"]["request_id"],
            )
            assert len(master.invocations) == 1


def parent_of(traced: Traced, name: str) -> str | None:
    """The name of a span's parent; None: it has none."""
    names = {span.span_id: span.name for span in traced.spans.values()}
    parent = traced.spans[name].parent_span_id
    return names[parent] if parent else None


def test_a_chat_is_one_trace(traced: Traced) -> None:
    assert len({traced.spans[name].trace_id for name in CHAT}) == 1


@pytest.mark.parametrize(
    ("name", "service", "parent"),
    [
        ("accept", "genai-gateway", None),
        ("claim", "genai-agent-bridge", "accept"),
        ("run", "genai-agent-bridge", "accept"),
        ("compose", "genai-agent-bridge", "run"),
        ("invoke", "genai-agent-bridge", "run"),
        ("end", "genai-agent-bridge", "run"),
        ("deliver", "genai-gateway", "accept"),
    ],
)
def test_each_span_is_in_its_place(
    traced: Traced, name: str, service: str, parent: str | None
) -> None:
    assert (traced.services[name], parent_of(traced, name)) == (service, parent)


def test_the_spans_come_one_after_the_other(traced: Traced) -> None:
    ends = [traced.spans[name].end_time_unix_nano for name in ("compose", "invoke", "end")]
    assert ends == sorted(ends)
    for each in traced.spans.values():
        assert 0 < each.start_time_unix_nano <= each.end_time_unix_nano


def test_the_trace_of_a_handshake_is_linked_and_not_continued(traced: Traced) -> None:
    accept = traced.spans["accept"]
    assert [(link.trace_id.hex(), link.span_id.hex()) for link in accept.links] == [(TRACE, SPAN)]
    assert accept.trace_id.hex() != TRACE


def test_the_trace_of_a_rest_call_is_continued(traced: Traced) -> None:
    span = traced.spans["list_chats"]
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, SPAN)


def test_spans_have_ids_and_nothing_that_anybody_wrote(traced: Traced) -> None:
    keys = {attribute.key for span in traced.spans.values() for attribute in span.attributes}
    assert keys == {"genai.request_id", "genai.session_id"}
    assert traced.request_id.encode() in traced.bodies
    assert [secret for secret in traced.secrets if secret.encode() in traced.bodies] == []
