"""Texts of strangers, with characters that PostgreSQL can't hold or that were none."""

from typing import Any

NUL = "\x00"
REPLACED = "\N{REPLACEMENT CHARACTER}"  # stands where something was none: half a pair, or NUL


def is_spoilt(value: object) -> bool:
    """Whether a text in it has a character that can't be stored, or that was none."""
    match value:
        case str():
            return NUL in value or REPLACED in value
        case dict():
            return any(is_spoilt(key) or is_spoilt(one) for key, one in value.items())
        case list():
            return any(map(is_spoilt, value))
    return False


def storable(value: Any) -> Any:
    """The same value without NUL in its texts."""
    match value:
        case str():
            return value.replace(NUL, REPLACED)
        case dict():
            return {storable(key): storable(one) for key, one in value.items()}
        case list():
            return [storable(one) for one in value]
    return value
