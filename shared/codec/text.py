"""JSON text, read and written so that no number loses a digit. Not what values may be."""

from typing import Any

import msgspec
import orjson

DIGITS_LIMIT = 4300  # of an integer, its sign included: to read more takes too long

_read = msgspec.json.Decoder().decode
_write = msgspec.json.Encoder().encode


def read_json(text: str | bytes) -> Any:
    """What JSON text says. Raises json.JSONDecodeError, with the place of what is wrong.

    Integers of any size stay what they are; orjson makes those above 64 bits floats.
    """
    try:
        return _read(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return orjson.loads(text)  # says what is wrong, and where


def write_json(value: object) -> bytes:
    """The JSON text of a value. Raises UnicodeEncodeError for half a surrogate pair."""
    return _write(value)
