"""A client is given each character of a text once and in order, whatever was lost or came twice."""

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.streams.texts import REMEMBERED, Texts
from shared.notifications.formats import Addition, Additions, Request

REQUEST, NEXT = Request(UUID(int=1), UUID(int=2)), Request(UUID(int=3))
AGENT = UUID(int=4)
AUTHORS = [None, AGENT]


def told(offset: int, text: str, *, author: UUID | None = None) -> Additions:
    """One text goes on."""
    return Additions(REQUEST, [Addition(author, offset, text)])


def taken(texts: Texts) -> list[tuple[UUID | None, int, str]]:
    """What a client is given now."""
    return [(part.agent_id, part.index, part.text) for part in texts.take()]


def test_what_came_meanwhile_is_one_part() -> None:
    texts = Texts()
    assert texts.add(told(0, "It "))
    assert texts.add(told(3, "is "))
    assert taken(texts) == [(None, 0, "It is ")]
    assert texts.add(told(6, "twelve"))
    assert taken(texts) == [(None, 1, "twelve")]
    assert taken(texts) == []


def test_what_came_before_is_asked_for_and_is_then_the_first_part() -> None:
    texts = Texts()
    assert not texts.add(told(3, "is "))
    assert taken(texts) == []
    assert texts.add(told(0, "It is "))
    assert taken(texts) == [(None, 0, "It is ")]


def test_each_author_has_parts_of_his_own() -> None:
    texts = Texts()
    both = [Addition(None, 0, "It "), Addition(AGENT, 0, "I look")]
    assert texts.add(Additions(REQUEST, both))
    assert taken(texts) == [(None, 0, "It "), (AGENT, 0, "I look")]


def test_where_one_text_has_a_gap_the_other_goes_on() -> None:
    texts = Texts()
    both = [Addition(None, 3, "is "), Addition(AGENT, 0, "I look")]
    assert not texts.add(Additions(REQUEST, both))
    assert taken(texts) == [(AGENT, 0, "I look")]


def test_what_is_heard_after_the_end_is_dropped_and_not_asked_for() -> None:
    texts = Texts()
    texts.add(told(0, "It "))
    texts.end(REQUEST)
    assert taken(texts) == []
    assert texts.add(told(3, "is "))
    assert taken(texts) == []
    assert texts.add(Additions(NEXT, [Addition(None, 0, "The next")]))
    assert taken(texts) == [(None, 0, "The next")]


def test_of_what_has_ended_no_text_is_kept() -> None:
    texts = Texts()
    for number in range(3 * REMEMBERED):
        request = Request(UUID(int=number))
        texts.add(Additions(request, [Addition(None, 0, "x")]))
        texts.end(request)
    assert not texts._texts
    assert len(texts._ended) == REMEMBERED


@given(st.data())
@settings(database=None, deadline=None)
def test_any_loss_or_repeat_leaves_a_beginning_and_a_question_brings_the_rest(
    data: st.DataObject,
) -> None:
    said = {author: data.draw(st.text(max_size=20)) for author in AUTHORS}
    spans = st.tuples(st.sampled_from(AUTHORS), st.integers(0, 20), st.integers(0, 20))
    texts, given_so_far = Texts(), dict.fromkeys(AUTHORS, "")
    counts = dict.fromkeys(AUTHORS, 0)

    def take() -> None:
        for author, index, text in taken(texts):
            assert text
            assert index == counts[author]
            counts[author] += 1
            given_so_far[author] += text
            assert said[author].startswith(given_so_far[author])

    for author, begin, end in data.draw(st.lists(spans, max_size=30)):
        known = texts._texts.get(REQUEST, {}).get(author)
        is_known = begin <= (known.known if known else 0)
        assert texts.add(told(begin, said[author][begin:end], author=author)) == is_known
        if data.draw(st.booleans()):
            take()
    assert texts.add(Additions(REQUEST, [Addition(one, 0, text) for one, text in said.items()]))
    take()
    assert given_so_far == said
