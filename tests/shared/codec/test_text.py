"""Numbers keep every digit, from JSON text to JSON text."""

import json
from json import JSONDecodeError

import pytest

from shared.codec.converter import dump, load, structure, unstructure
from shared.codec.faults import InvalidInputError
from shared.codec.text import DIGITS_LIMIT, read_json, write_json

INTEGERS = [
    2**80,
    -(2**80),
    2**63,
    2**64 - 1,
    2**64,
    -(2**63) - 1,
    10**400,
    10**DIGITS_LIMIT - 1,
    1 - 10 ** (DIGITS_LIMIT - 1),
]
NUMBERS = ["-0.0", "1.0", "0.1", "5e-324", "1.7976931348623157e308", "0.30000000000000004"]


@pytest.mark.parametrize("number", INTEGERS, ids=lambda number: f"{number.bit_length()} bits")
@pytest.mark.parametrize("form", ["%d", "[%d]", '{"a": {"b": [1, %d]}}'])
def test_an_integer_of_any_size_stays_as_it_was(number: int, form: str) -> None:
    value = json.loads(form % number)
    for text in (form % number, (form % number).encode()):
        assert read_json(text) == load(text) == value
    assert json.loads(write_json(value)) == json.loads(dump(value)) == value
    assert unstructure(value) == value


@pytest.mark.parametrize("number", NUMBERS)
def test_a_float_stays_as_it_was(number: str) -> None:
    assert repr(read_json(write_json(read_json(number)))) == repr(float(number))


@pytest.mark.parametrize(
    "text",
    ["", "{", "01", "NaN", "1e400", "9" * (DIGITS_LIMIT + 1), '"\\ud800"', "[" * 5000, b"\xff"],
    ids=lambda text: repr(text)[:20],
)
def test_what_is_no_json_or_too_much_of_it_is_malformed(text: str | bytes) -> None:
    with pytest.raises(JSONDecodeError):
        read_json(text)


@pytest.mark.parametrize("number", [10**400, -(10**400)], ids=["large", "small"])
def test_an_integer_that_is_no_float_is_no_number(number: int) -> None:
    with pytest.raises(InvalidInputError):
        structure(number, float)
