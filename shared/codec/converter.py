"""JSON into objects and back: strict on the way in, in the contract's formats on the way out."""

import re
from json import JSONDecodeError
from typing import Any

import cattrs

from shared.codec.faults import (
    FAULTS_LIMIT,
    Fault,
    FaultError,
    InvalidInputError,
    faults_of,
)
from shared.codec.hooks import converter
from shared.codec.surrogates import find_broken_texts
from shared.codec.text import read_json, write_json

SEARCHED_PLACES = 64 * 1024  # where a time may begin: to look at more takes longer than all else

_other_time = re.compile(rb'T..:..:..(?!\.......")(?<="....-..-..T..:..:..)')


def structure[T](data: object, into: type[T]) -> T:
    """Build an object from parsed JSON, or raise InvalidInputError with all faults at once."""
    try:
        return converter.structure(data, into)
    except (cattrs.BaseValidationError, FaultError) as error:
        raise InvalidInputError(faults_of(error, data)[:FAULTS_LIMIT]) from None


def load(text: str | bytes) -> object:
    """What JSON text says, or raise InvalidInputError."""
    try:
        return read_json(text)
    except JSONDecodeError as error:
        shown = text if isinstance(text, str) else text.decode(errors="replace")
        fault = Fault("json_invalid", (error.pos,), f"Invalid JSON: {error.msg}", shown)
        raise InvalidInputError(find_broken_texts(text) or [fault]) from None


def parse[T](text: str | bytes, into: type[T]) -> T:
    """Build an object from JSON text, or raise InvalidInputError."""
    return structure(load(text), into)


def unstructure(value: object) -> Any:
    """The JSON-ready form: ids in lower case, times UTC with six digits and without an offset."""
    return converter.unstructure(value)


def dump(value: object) -> bytes:
    """The JSON text of an object, in the order of its fields: no class in it has slots.

    msgspec walks through it in C, a fifth of what `unstructure` takes. All that it writes in
    another form than the contract's is a time without microseconds, one in a million, or with an
    offset: where there is one, or a text that begins like one, the slower way is taken.
    """
    text = write_json(value)
    if text.count(b"T") > SEARCHED_PLACES or _other_time.search(text):
        return write_json(unstructure(value))
    return text
