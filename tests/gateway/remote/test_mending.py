"""JSON that the SDK's reader would refuse for one place in it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from gateway.remote.mending import DIGITS_LIMIT, MOST_LEVELS, mend, mend_line

ANY_TEXT = st.text(st.characters(codec=None, categories=None) | st.sampled_from('\\"[]{}\ud800'))
ANY = st.recursive(
    ANY_TEXT | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner)
)


def whole(value: Any) -> Any:
    """The same, with what is half a pair replaced."""
    match value:
        case str():
            pairs = value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
            return "".join("\ufffd" if "\ud800" <= one <= "\udfff" else one for one in pairs)
        case dict():
            return {whole(name): whole(one) for name, one in value.items()}
        case list():
            return [whole(one) for one in value]
    return value


@given(ANY)
def test_half_pairs_are_replaced_and_all_else_stays(value: Any) -> None:
    assert from_json(mend(json.dumps(value).encode())) == whole(value)


@given(ANY)
def test_what_is_good_is_not_touched(value: Any) -> None:
    text = json.dumps(whole(value)).encode()
    assert mend(text) is text


@given(ANY, st.integers(MOST_LEVELS, 400))
def test_what_is_too_deep_is_left_out_and_what_is_beside_it_stays(value: Any, levels: int) -> None:
    deep = "[" * levels + json.dumps("]{") + "]" * levels
    text = f'{{"deep": {deep}, "beside": {json.dumps(value)}}}'.encode()
    assert from_json(mend(text))["beside"] == whole(value)


@pytest.mark.parametrize("number", ["1" * 9000, "-" + "1" * 9000])
def test_a_number_without_end_is_none(number: str) -> None:
    assert len(number) > DIGITS_LIMIT
    assert from_json(mend(f'{{"a": {number}, "b": 1}}'.encode())) == {"a": 0, "b": 1}


@pytest.mark.parametrize(
    "text",
    [b'\\"' * 500_000, b'"' + b"\\" * 1_000_001, (b"1" * (DIGITS_LIMIT - 1) + b" ") * 2000],
    ids=["strings that do not end", "escapes that do not end", "numbers that are nearly too long"],
)
def test_what_does_not_end_is_read_once(text: bytes) -> None:
    assert mend(text) == text


def test_text_that_is_no_utf_8_can_be_read() -> None:
    assert from_json(mend(b'{"a": "\xff"}')) == {"a": "\ufffd"}


def test_of_a_stream_the_data_alone_is_mended() -> None:
    assert mend_line(b'data: {"a": "\\ud800"}') == b'data: {"a": "\\ufffd"}'
    assert mend_line(b": \\ud800") == b": \\ud800"
