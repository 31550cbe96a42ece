"""What agents that are asked themselves pass on, and what is kept of it."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_bridge.requests.asked import Trace, text_of
from agent_bridge.requests.compose import UnfitError
from agent_bridge.router.frames import Rejection, Reply
from shared.codec.text import read_json, write_json
from shared.domain.asked import AskedAgent
from shared.domain.endings import Outcome, failed

AGENT = AskedAgent(UUID(int=1), "sealer_abcdef", "text")

SCALARS = st.none() | st.booleans() | st.integers() | st.text()
ANSWERS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["response", "is_success", "a"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("response", "text"),
    [
        ("as it is", "as it is"),
        ({"response": "inner", "is_success": False}, "inner"),
        ({"response": {"a": 1}}, '{"response":{"a":1}}'),
        ({"other": "ž"}, '{"other":"ž"}'),
        (["a", 2**80], f'["a",{2**80}]'),
        (7, "7"),
        (None, "null"),
    ],
    ids=repr,
)
def test_the_text_of_an_answer_is_its_response_or_itself_or_its_json(
    response: object, text: str
) -> None:
    assert text_of(AGENT, response) == text


def test_an_answer_that_is_nested_too_deeply_ends_the_request() -> None:
    value: object = "core"
    for _ in range(500):
        value = [value]
    with pytest.raises(UnfitError, match="sealer_abcdef is nested too deeply"):
        text_of(AGENT, value)


@given(ANSWERS)
def test_whatever_an_agent_answers_has_a_text(response: object) -> None:
    text = text_of(AGENT, response)
    is_itself = isinstance(response, str) or (
        isinstance(response, dict) and isinstance(response.get("response"), str)
    )
    assert is_itself or read_json(text) == response


@given(st.lists(st.tuples(st.text(), ANSWERS), min_size=1, max_size=5), st.integers(0, 3_000))
def test_a_trace_keeps_what_fits_and_no_more(
    turns: list[tuple[str, object]], most_bytes: int
) -> None:
    trace = Trace(most_bytes)
    try:
        for text, response in turns:
            trace.begin(AGENT, text)
            trace.end(Reply(response, 0.5))
    except UnfitError as error:
        assert "has more than" in str(error)  # noqa: PT017 (it fits, or it is this one)
        assert trace.steps[-1]["output"] is None
    else:
        assert [each["output"] for each in trace.steps] == [response for _, response in turns]
    kept = [each for each in trace.steps if each["is_success"]]
    assert sum(len(write_json(each)) for each in kept) <= most_bytes


def test_an_outcome_takes_as_long_as_its_agents_together() -> None:
    trace = Trace(10_000)
    for reply in (Reply("one", 0.5), Rejection("broken", 0.25)):
        trace.begin(AskedAgent(uuid4(), "a", "text"), "hello")
        trace.end(reply)
    assert trace.conclude(failed("broken")).execution_time == 0.75
    answered = trace.conclude(Outcome("answered", {"response": "one"}))
    assert answered.answer == {
        "agents_trace": trace.steps,
        "response": "one",
        "is_success": True,
    }
    assert [each["is_success"] for each in trace.steps] == [True, False]
