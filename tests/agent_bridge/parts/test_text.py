"""The texts of a request are told as they grow, not too often, and are bounded."""

from collections.abc import Iterator
from itertools import pairwise
from uuid import UUID

import pytest
from attrs import field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_bridge.parts.text import (
    CHARACTERS_LIMIT,
    OTHERS_LIMIT,
    TEXTS_LIMIT,
    TOLD_PER_SECOND,
    Texts,
)
from shared.notifications.bus import LISTENER_BYTES
from shared.notifications.formats import Addition, Additions, Request, encode_additions
from tests.agent_bridge.parts.clock import Clock, running_clock

REQUEST = Request(UUID(int=1), UUID(int=2))
ANSWER = None
AGENT, OTHER = UUID(int=3), UUID(int=4)
AUTHORS = [ANSWER, AGENT, OTHER]


@frozen
class Speaker:
    """Texts, and when what was told of them."""

    clock: Clock
    told: list[tuple[float, Additions]] = field(factory=list)
    texts: Texts = field(init=False)

    def __attrs_post_init__(self) -> None:
        note = lambda additions: self.told.append((self.clock.now, additions))  # noqa: E731
        object.__setattr__(self, "texts", Texts(REQUEST, note))

    def last(self) -> list[Addition]:
        """What was told last."""
        return self.told[-1][1].additions


@pytest.fixture
def speaker() -> Iterator[Speaker]:
    with running_clock() as clock:
        yield Speaker(clock)


def test_the_first_part_is_told_at_once_and_what_follows_joined(speaker: Speaker) -> None:
    for part in ("It ", "is ", "twelve"):
        assert speaker.texts.add(ANSWER, part)
    assert speaker.told == [(100.0, Additions(REQUEST, [Addition(ANSWER, 0, "It ")]))]
    speaker.clock.advance(1 / TOLD_PER_SECOND)
    assert len(speaker.told) == 2
    assert speaker.last() == [Addition(ANSWER, 3, "is twelve")]


def test_after_a_pause_a_part_is_told_at_once(speaker: Speaker) -> None:
    for number in range(3):
        speaker.texts.add(ANSWER, "x")
        assert len(speaker.told) == number + 1
        speaker.clock.advance(1.0)


def test_who_asks_is_told_all_so_far_at_the_next_time(speaker: Speaker) -> None:
    speaker.texts.add(ANSWER, "one ")
    speaker.texts.add(AGENT, "mine")
    speaker.texts.add(ANSWER, "two")
    speaker.texts.ask()
    speaker.texts.ask()
    speaker.clock.advance(1.0)
    assert len(speaker.told) == 2
    assert speaker.last() == [Addition(ANSWER, 0, "one two"), Addition(AGENT, 0, "mine")]


def test_where_nothing_was_said_nothing_is_told(speaker: Speaker) -> None:
    speaker.texts.ask()
    assert speaker.texts.add(ANSWER, "")
    speaker.texts.close()
    assert speaker.told == []


def test_what_is_left_is_told_at_the_end_and_nothing_later(speaker: Speaker) -> None:
    speaker.texts.add(ANSWER, "one ")
    speaker.texts.add(ANSWER, "two")
    speaker.texts.close()
    assert speaker.last() == [Addition(ANSWER, 4, "two")]
    speaker.clock.advance(1.0)
    assert len(speaker.told) == 2


def test_a_text_ends_before_what_there_is_no_room_for(speaker: Speaker) -> None:
    assert speaker.texts.add(ANSWER, "x" * (CHARACTERS_LIMIT - 1))
    assert not speaker.texts.add(ANSWER, "yz")
    assert not speaker.texts.add(ANSWER, "y"), "something is missing before it"
    assert speaker.texts.characters == CHARACTERS_LIMIT - 1


def test_agents_leave_room_for_the_answer(speaker: Speaker) -> None:
    assert speaker.texts.add(AGENT, "x" * (OTHERS_LIMIT - 1))
    assert not speaker.texts.add(AGENT, "yz")
    assert speaker.texts.add(OTHER, "y"), "that another text has ended is nothing to it"
    assert not speaker.texts.add(OTHER, "y")
    assert speaker.texts.add(ANSWER, "x" * (CHARACTERS_LIMIT - OTHERS_LIMIT))
    assert not speaker.texts.add(ANSWER, "x")


def test_more_agents_than_may_be_told_of_take_nothing_from_the_answer(speaker: Speaker) -> None:
    agents = [UUID(int=10 + number) for number in range(TEXTS_LIMIT)]
    assert [speaker.texts.add(each, "x") for each in agents] == [True] * (TEXTS_LIMIT - 1) + [False]
    assert speaker.texts.add(ANSWER, "x")
    assert speaker.texts.add(agents[0], "x")


def test_a_text_that_was_ended_takes_nothing_more(speaker: Speaker) -> None:
    speaker.texts.add(AGENT, "x")
    speaker.texts.end(AGENT)
    speaker.texts.end(OTHER)
    assert not speaker.texts.add(AGENT, "x")
    assert not speaker.texts.add(OTHER, "x")
    assert speaker.texts.add(ANSWER, "x")


def test_all_that_a_request_may_say_is_less_than_a_listener_holds(speaker: Speaker) -> None:
    for number in range(TEXTS_LIMIT - 1):
        speaker.texts.add(UUID(int=10 + number), "\x01" * (OTHERS_LIMIT // TEXTS_LIMIT))
    speaker.texts.add(ANSWER, "\x01" * (CHARACTERS_LIMIT - speaker.texts.characters))
    speaker.texts.ask()
    speaker.texts.close()
    assert speaker.texts.characters == CHARACTERS_LIMIT
    assert len(encode_additions(speaker.told[-1][1])) < LISTENER_BYTES


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(AUTHORS), st.text(max_size=5)),
        st.floats(0, 0.2),
        st.just("ask"),
    ),
    max_size=40,
)


@given(STEPS)
@settings(database=None, deadline=None)
def test_each_text_is_told_in_order_without_gap_and_not_too_often(
    steps: list[tuple[UUID | None, str] | float | str],
) -> None:
    said = dict.fromkeys(AUTHORS, "")
    with running_clock() as clock:
        speaker = Speaker(clock)
        for step in steps:
            match step:
                case (author, text):
                    speaker.texts.add(author, text)
                    said[author] += text
                case float():
                    clock.advance(step)
                case _:
                    speaker.texts.ask()
        paced = list(speaker.told)
        speaker.texts.close()
    known = dict.fromkeys(AUTHORS, "")
    for _, additions in speaker.told:
        for each in additions.additions:
            assert each.offset in {0, len(known[each.author])}
            known[each.author] = known[each.author][: each.offset] + each.text
    assert known == said
    for (at, additions), (then, _) in pairwise(paced):
        assert then - at >= len(additions.additions) / TOLD_PER_SECOND - 1e-9
