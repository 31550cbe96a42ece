"""What is counted of requests and answers, without a server."""

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


async def _nothing() -> Message:
    return {"type": "http.request"}


async def _drop(_message: Message) -> None:
    pass
