"""JSON as anybody may send it, read for what is stored: no part of a frame is too odd."""

import json
from math import isfinite
from sys import float_info
from typing import Any

from shared.codec.depth import is_too_deep
from shared.codec.text import DIGITS_LIMIT, read_json, write_json


def parse_frame(text: str | bytes) -> object:
    """What a frame holds; None for what is no JSON."""
    try:
        return read_json(text)
    except json.JSONDecodeError:
        return _parse_leniently(text)


def _parse_leniently(text: str | bytes) -> object:
    """What Python's own json writes and JSON does not know: NaN, infinities, half surrogates.

    A number that is too large to be read stays a text: whoever waits for the rest must have it.
    """
    try:
        value = json.loads(
            text, parse_constant=lambda _: None, parse_int=_integer, parse_float=_float
        )
        return read_json(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= DIGITS_LIMIT else digits


def _float(digits: str) -> float | str:
    number = float(digits)
    return number if isfinite(number) else digits


def as_text(value: object) -> str:
    """A text that PostgreSQL can store."""
    text = value if isinstance(value, str) else "" if value is None else _dump(value)
    return str(_without_nul(text))


def as_object(value: object) -> dict[str, Any]:
    """A JSON object without NUL characters, from an object or its text."""
    parsed = parse_frame(value) if isinstance(value, str) else value
    if not isinstance(parsed, dict) or is_too_deep(parsed):
        return {}
    return dict(_without_nul(parsed)) if b"\\u0000" in write_json(parsed) else parsed


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
        case dict():
            return {_without_nul(name): _without_nul(part) for name, part in value.items()}
        case list():
            return [_without_nul(part) for part in value]
    return value


def _dump(value: object) -> str:
    return "nested too deeply" if is_too_deep(value) else write_json(value).decode()


def as_seconds(value: object) -> float:
    """A number of seconds; zero for what is none."""
    if isinstance(value, int | float) and abs(value) <= float_info.max:
        return float(value)
    return 0.0
