"""What a model says, in the order in which a client is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.completions.speech import (
    BETWEEN,
    PIECE_LIMIT,
    Ended,
    Event,
    Failed,
    Said,
    Speech,
    Thought,
    Utterance,
)
from tests.gateway.completions.events import AGENT, answer, failed, log, part

OTHER = AGENT.__class__(int=4)


def hear(*events: Event) -> list[Utterance]:
    speech = Speech()
    return [utterance for event in events for utterance in speech.hear(event)]


def said(utterances: list[Utterance]) -> str:
    return "".join(each.text for each in utterances if isinstance(each, Said))


def thought(utterances: list[Utterance]) -> str:
    return "".join(each.text for each in utterances if isinstance(each, Thought))


@given(st.lists(st.text(min_size=1)), st.text(min_size=1))
def test_an_answer_that_goes_on_with_its_parts_is_told_once(parts: list[str], rest: str) -> None:
    end = answer("".join(parts) + rest)
    told = hear(*map(part, parts), end)
    assert said(told) == "".join(parts) + rest
    assert told[-1] == Ended(end, replaces=False)


@given(st.lists(st.text(min_size=1), min_size=1), st.text(min_size=1))
def test_one_that_does_not_follows_them_as_a_whole(parts: list[str], text: str) -> None:
    begun = "".join(parts)
    told = hear(*map(part, parts), answer(text))
    replaces = not text.startswith(begun)
    assert said(told) == (f"{begun}{BETWEEN}{text}" if replaces else text)
    assert told[-1] == Ended(answer(text), replaces)


def test_a_long_answer_is_told_in_pieces() -> None:
    text = "x" * (2 * PIECE_LIMIT + 1)
    told = hear(answer(text))
    assert said(told) == text
    assert max(len(each.text) for each in told if isinstance(each, Said)) == PIECE_LIMIT


def test_log_entries_are_thoughts_on_lines_of_their_own() -> None:
    assert thought(hear(log("one"), log("two"))) == "one\ntwo\n"


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([part("I ", AGENT), part("see", AGENT), log("done")], "I see\ndone\n"),
        ([part("I", AGENT), part("you", OTHER), part(" too", OTHER)], "I\nyou too"),
        ([part("I\n", AGENT), log("done")], "I\ndone\n"),
        ([log("begin"), part("I", AGENT)], "begin\nI"),
    ],
    ids=["one agent", "two agents", "a whole line", "after an entry"],
)
def test_texts_of_other_agents_are_thoughts_too(events: list[Event], told: str) -> None:
    assert thought(hear(*events)) == told


def test_a_failure_says_why() -> None:
    assert hear(failed("no clock")) == [Failed("no clock")]
