"""What is counted of requests, sockets and answers, without a server."""

from time import time_ns
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY
from starlette.types import Message, Receive, Scope, Send

from gateway.chats.expected import LIMIT, ExpectedAnswers
from gateway.web.measuring import Measure


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def delivered(answers: ExpectedAnswers, request_id: UUID) -> bool:
    """Whether an answer was taken for one of those that are expected."""
    name = "genai_request_delivery_seconds_count"
    before = sample(name)
    answers.answered(request_id, time_ns())
    return sample(name) == before + 1


def test_an_answer_is_measured_once() -> None:
    answers, request_id = ExpectedAnswers(), uuid4()
    answers.expect(request_id)
    assert [delivered(answers, request_id), delivered(answers, request_id)] == [True, False]


def test_another_s_answer_is_not_measured() -> None:
    answers = ExpectedAnswers()
    answers.expect(uuid4())
    assert not delivered(answers, uuid4())


def test_no_more_messages_are_remembered_than_the_limit() -> None:
    answers, ids = ExpectedAnswers(), [uuid4() for _ in range(LIMIT + 1)]
    for request_id in ids:
        answers.expect(request_id)
    measured = [delivered(answers, request_id) for request_id in ids]
    assert measured == [False, *[True] * LIMIT]


async def test_what_is_raised_counts_as_the_status_that_it_becomes() -> None:
    async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise LookupError

    labels = {"method": "other", "route": "none", "status": "5xx"}
    before = sample("genai_http_requests_total", **labels)
    with pytest.raises(LookupError):
        await Measure(fail)({"type": "http", "method": "FORGED"}, _nothing, _drop)
    assert sample("genai_http_requests_total", **labels) == before + 1


@pytest.mark.parametrize(
    ("code", "label"), [(1001, "1001"), (1013, "1013"), (4711, "other"), (1006, "lost")]
)
@pytest.mark.parametrize("is_ours", [False, True])
async def test_a_socket_counts_under_a_known_code_only(
    code: int, label: str, is_ours: bool
) -> None:
    async def serve(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        if is_ours:
            await send({"type": "websocket.close", "code": code})
        else:
            await receive()

    async def leave() -> Message:
        return {"type": "websocket.disconnect", "code": code}

    before = sample("genai_sockets_closed_total", code=label), sample("genai_sockets_open")
    await Measure(serve)({"type": "websocket"}, leave, _drop)
    after = sample("genai_sockets_closed_total", code=label), sample("genai_sockets_open")
    assert after == (before[0] + 1, before[1])


async def _nothing() -> Message:
    return {"type": "http.request"}


async def _drop(_message: Message) -> None:
    pass


async def test_who_leaves_during_the_handshake_is_neither_refused_nor_open() -> None:
    names = ["genai_sockets_refused_total", "genai_sockets_open"]
    before = [sample(name) for name in names]

    async def serve(_scope: Scope, _receive: Receive, send: Send) -> None:
        with pytest.raises(OSError, match="gone"):
            await send({"type": "websocket.accept"})

    async def fail(_message: Message) -> None:
        raise OSError("gone")

    await Measure(serve)({"type": "websocket"}, _nothing, fail)
    assert [sample(name) for name in names] == before
