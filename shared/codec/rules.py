"""What single values may be: strict, but a number is taken as a string too, as the contract wants.

cattrs' stock hooks coerce (`5` becomes `"5"`). What holds lists, classes and marks together is in
`hooks`.
"""

import re
from datetime import UTC, date, datetime
from json import JSONDecodeError
from sys import float_info
from typing import Annotated, Any, get_args
from uuid import UUID

from shared.codec.depth import DEPTH_LIMIT, is_too_deep
from shared.codec.faults import FaultError, objection_to_uuid
from shared.codec.text import read_json

INTEGER_LIMIT = 2**63  # what a bigint holds
MOST_NUMBER = float_info.max
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)  # RFC 3339; Python takes other forms of ISO 8601
TIME = re.compile(
    rf"{DATE.pattern}[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII
)  # without an offset as well, as we write them

JsonObject = Annotated[dict[str, Any], "or its JSON text"]
Url = Annotated[str, "a URL"]


def take_string(value: object, _: object) -> str:
    if not isinstance(value, str):
        raise FaultError("string_type", "Input should be a valid string", value)
    return _without_nul(value, value)


def take_url(value: object, _: object) -> str:
    if not isinstance(value, str):
        raise FaultError("url_type", "URL input should be a string or URL", value)
    return _without_nul(value, value)


def _without_nul[T](value: T, whole: object) -> T:
    """PostgreSQL stores no NUL character in a text."""
    match value:
        case str() if "\x00" in value:
            raise FaultError("value_error", "Input should have no NUL character", whole)
        case dict():
            _without_nul([*value.keys(), *value.values()], whole)
        case list():
            for item in value:
                _without_nul(item, whole)
    return value


def take_integer(value: object, _: object) -> int:
    number = _integer_from_text(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or number % 1 != 0:
        raise FaultError("int_type", "Input should be a valid integer", value)
    if abs(number) >= INTEGER_LIMIT:
        raise FaultError("int_parsing_size", "Input should be an integer of 64 bits", value)
    return int(number)


def _integer_from_text(text: str) -> int:
    digits = text.strip().removesuffix(".0")
    if not digits.isascii() or not digits.removeprefix("-").isdecimal():
        message = "Input should be a valid integer, unable to parse string as an integer"
        raise FaultError("int_parsing", message, text)
    return int(digits) if len(digits) < len(str(INTEGER_LIMIT)) + 2 else INTEGER_LIMIT


def take_number(value: object, _: object) -> float:
    number = _number_from_text(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise FaultError("float_type", "Input should be a valid number", value)
    if not abs(number) <= MOST_NUMBER:
        raise FaultError("finite_number", "Input should be a finite number", value)
    return float(number)


def _number_from_text(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        message = "Input should be a valid number, unable to parse string as a number"
        raise FaultError("float_parsing", message, text) from None


def take_boolean(value: object, _: object) -> bool:
    written = {"true": True, "1": True, "false": False, "0": False}  # as queries have it
    if isinstance(value, str):
        value = written.get(value.lower(), value)
    if not isinstance(value, bool):
        raise FaultError("bool_type", "Input should be a valid boolean", value)
    return value


def take_uuid(value: object, _: object) -> UUID:
    if not isinstance(value, str):
        raise FaultError("uuid_type", "Input should be a valid UUID", value)
    try:
        return UUID(value)
    except ValueError:
        message = f"Input should be a valid UUID, {objection_to_uuid(value)}"
        raise FaultError("uuid_parsing", message, value) from None


def take_date(value: object, _: object) -> date:
    try:
        return date.fromisoformat(value if isinstance(value, str) and DATE.fullmatch(value) else "")
    except ValueError:
        message = "Input should be a valid date like 2026-01-31"
        raise FaultError("date_parsing", message, value) from None


def take_time(value: object, _: object) -> datetime:
    """UTC, also where no offset says so."""
    text = value if isinstance(value, str) and TIME.fullmatch(value) else ""
    try:
        time = datetime.fromisoformat(text.upper())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        message = "Input should be a valid time like 2026-01-31T09:15:02Z"
        raise FaultError("datetime_parsing", message, value) from None


def take_dictionary(value: object, _: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FaultError("dict_type", "Input should be a valid dictionary", value)
    if is_too_deep(value):
        message = f"Input should have at most {DEPTH_LIMIT} levels"
        raise FaultError("value_error", message, value)
    return _without_nul(value, value)


def take_json_object(value: object, kind: object) -> dict[str, Any]:
    if not isinstance(value, str):
        return take_dictionary(value, kind)
    try:
        return take_dictionary(read_json(value), kind)
    except JSONDecodeError:
        message = "Input should be a valid dictionary or its JSON text"
        raise FaultError("dict_type", message, value) from None


def take_literal(value: object, kind: object) -> object:
    choices = get_args(kind)
    if value not in choices:
        *most, last = [repr(choice) for choice in choices]
        expected = f"{', '.join(most)} or {last}" if most else last
        raise FaultError("enum", f"Input should be {expected}", value)
    return value
