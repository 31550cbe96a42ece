"""Of a history that a client sends, the end is stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.streams.histories import PAST_BYTES_LIMIT, PAST_LIMIT, newest
from gateway.streams.questions import Past

PASTS = st.lists(st.builds(Past, st.sampled_from(["user", "master_agent"]), st.text()))


@given(PASTS)
def test_a_short_one_is_stored_as_it_is_but_for_what_is_empty(past: list[Past]) -> None:
    assert newest(past) == [each for each in past if each.text]


def test_of_many_messages_the_newest_are_stored() -> None:
    past = [Past("user", str(number)) for number in range(PAST_LIMIT + 5)]
    assert newest(past) == past[5:]


@pytest.mark.parametrize("letter", ["a", "ž"])
def test_of_long_ones_those_that_fit_in_whole(letter: str) -> None:
    size = PAST_BYTES_LIMIT // 2
    past = [Past("user", letter * (size // len(letter.encode()))) for _ in range(3)]
    assert newest([*past, Past("master_agent", "")]) == past[1:]
    assert newest([*past, Past("master_agent", "x")]) == [past[2], Past("master_agent", "x")]
