"""The one cattrs converter: strict where JSON comes in, the contract's formats where it goes out.

cattrs' stock hooks coerce (`5` becomes `"5"`); these refuse, but take a number as a string, as
the contract wants it.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, get_args, get_origin
from uuid import UUID

import attrs
import cattrs
import msgspec
import orjson
from attrs import frozen
from cattrs.cols import list_structure_factory
from cattrs.fns import identity
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.preconf.orjson import make_converter

from shared.codec.depth import DEPTH_LIMIT, is_too_deep
from shared.codec.faults import (
    FAULTS_LIMIT,
    Fault,
    FaultError,
    InvalidInputError,
    faults_of,
    objection_to_uuid,
)

type Hook = Any  # (value, type) -> structured value; cattrs types it no closer

INTEGER_LIMIT = 2**63  # what a bigint holds

FORBID_EXTRA_KEYS = "forbid_extra_keys"  # class attribute by which a class asks for that

JsonObject = Annotated[dict[str, Any], "or its JSON text"]
Url = Annotated[str, "a URL"]

_encoder = msgspec.json.Encoder()
_other_time = re.compile(rb'T..:..:..(?!\.......")(?<="....-..-..T..:..:..)')


@frozen
class Rule:
    """A mark in `Annotated`; `objection` says what is wrong with a value, or None."""

    objection: Callable[[Any], str | None]


def structure[T](data: object, into: type[T]) -> T:
    """Build an object from parsed JSON, or raise InvalidInputError with all faults at once."""
    try:
        return converter.structure(data, into)
    except (cattrs.BaseValidationError, FaultError) as error:
        raise InvalidInputError(faults_of(error, data)[:FAULTS_LIMIT]) from None


def load(text: str | bytes) -> object:
    """What JSON text says, or raise InvalidInputError."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        shown = text if isinstance(text, str) else text.decode(errors="replace")
        fault = Fault("json_invalid", (error.pos,), f"Invalid JSON: {error.msg}", shown)
        raise InvalidInputError([fault]) from None


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
    text = _encoder.encode(value)
    return orjson.dumps(unstructure(value)) if _other_time.search(text) else text


def format_time(time: datetime) -> str:
    """UTC in ISO 8601, always with six digits and no offset: the front-end appends its own Z."""
    if time.tzinfo is not None:
        time = time.astimezone(UTC).replace(tzinfo=None)
    text = orjson.dumps(time).decode()[1:-1]  # a fifth of what isoformat takes
    return text if time.microsecond else f"{text}.000000"


def _string(value: object, _: object) -> str:
    if not isinstance(value, str):
        raise FaultError("string_type", "Input should be a valid string", value)
    return _without_nul(value, value)


def _url(value: object, _: object) -> str:
    if not isinstance(value, str):
        raise FaultError("url_type", "URL input should be a string or URL", value)
    return _without_nul(value, value)


def _without_nul[T](value: T, whole: object) -> T:
    """PostgreSQL stores no NUL character in a text."""
    match value:
        case str() if "\x00" in value:
            raise FaultError("value_error", "Value error, a NUL character is not allowed", whole)
        case dict():
            _without_nul([*value.keys(), *value.values()], whole)
        case list():
            for item in value:
                _without_nul(item, whole)
    return value


def _integer(value: object, _: object) -> int:
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


def _number(value: object, _: object) -> float:
    number = _number_from_text(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise FaultError("float_type", "Input should be a valid number", value)
    if not abs(number) < float("inf"):
        raise FaultError("finite_number", "Input should be a finite number", value)
    return float(number)


def _number_from_text(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        message = "Input should be a valid number, unable to parse string as a number"
        raise FaultError("float_parsing", message, text) from None


def _boolean(value: object, _: object) -> bool:
    written = {"true": True, "1": True, "false": False, "0": False}  # as queries have it
    if isinstance(value, str):
        value = written.get(value.lower(), value)
    if not isinstance(value, bool):
        raise FaultError("bool_type", "Input should be a valid boolean", value)
    return value


def _uuid(value: object, _: object) -> UUID:
    if not isinstance(value, str):
        raise FaultError("uuid_type", "Input should be a valid UUID", value)
    try:
        return UUID(value)
    except ValueError:
        message = f"Input should be a valid UUID, {objection_to_uuid(value)}"
        raise FaultError("uuid_parsing", message, value) from None


def _dictionary(value: object, _: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FaultError("dict_type", "Input should be a valid dictionary", value)
    if is_too_deep(value):
        message = f"Value error, more than {DEPTH_LIMIT} levels are not allowed"
        raise FaultError("value_error", message, value)
    return _without_nul(value, value)


def _json_object(value: object, kind: object) -> dict[str, Any]:
    if not isinstance(value, str):
        return _dictionary(value, kind)
    try:
        return _dictionary(orjson.loads(value), kind)
    except orjson.JSONDecodeError:
        message = "Input should be a valid dictionary or its JSON text"
        raise FaultError("dict_type", message, value) from None


def _literal(value: object, kind: object) -> object:
    choices = get_args(kind)
    if value not in choices:
        *most, last = [repr(choice) for choice in choices]
        expected = f"{', '.join(most)} or {last}" if most else last
        raise FaultError("enum", f"Input should be {expected}", value)
    return value


def _list_hook(kind: Any, converter: cattrs.BaseConverter) -> Hook:
    structure_items = list_structure_factory(kind, converter)

    def hook(value: object, _: object) -> object:
        if not isinstance(value, list):
            raise FaultError("list_type", "Input should be a valid list", value)
        return structure_items(value, kind)

    return hook


def _optional_hook(kind: Any, converter: cattrs.BaseConverter) -> Hook:
    [inner] = [part for part in get_args(kind) if part is not type(None)]
    structure_inner = converter.get_structure_hook(inner)

    def hook(value: object, _: object) -> object:
        return None if value is None else structure_inner(value, inner)

    return hook


def _omittable_hook(kind: Any, converter: cattrs.BaseConverter) -> Hook:
    """The hook of what is there, for a field that may be left out: then it stays UNSET."""
    inner = reduce(or_, (part for part in get_args(kind) if part is not msgspec.UnsetType))
    structure_inner = converter.get_structure_hook(inner)

    def hook(value: object, _: object) -> object:
        return structure_inner(value, inner)

    return hook


def _class_hook(kind: Any, converter: Any) -> Hook:
    structure_fields = make_dict_structure_fn(
        kind, converter, _cattrs_forbid_extra_keys=getattr(kind, FORBID_EXTRA_KEYS, False)
    )

    def hook(value: object, _: object) -> object:
        if not isinstance(value, dict):
            message = "Input should be a valid dictionary or object to extract fields from"
            raise FaultError("model_attributes_type", message, value)
        return structure_fields(value, kind)

    return hook


def _terse_unstructure_hook(kind: Any, converter: Any) -> Any:
    """Leave out the keys that are UNSET, for a class that has such."""
    omitted: Any = {name: override(omit_if_default=True) for name in omittable_fields(kind)}
    return make_dict_unstructure_fn(kind, converter, **omitted)


def _constrained_hook(kind: Any, converter: cattrs.BaseConverter) -> Hook:
    """Enforce what `msgspec.Meta` documents: one source for both. Rules say what it can't."""
    inner, *marks = get_args(kind)
    is_list = _is_list(inner)
    structure_inner = converter.get_structure_hook(inner)

    def hook(value: object, _: object) -> object:
        for mark in marks:  # before its items are looked at, each of which may be a fault
            if is_list and isinstance(value, list) and isinstance(mark, msgspec.Meta):
                _refuse_broken(mark, value, value)
        result = structure_inner(value, inner)
        for mark in marks:
            if isinstance(mark, msgspec.Meta):
                _refuse_broken(mark, result, value)
            if isinstance(mark, Rule) and (message := mark.objection(result)):
                raise FaultError("value_error", f"Value error, {message}", value)
        return result

    return hook


def _refuse_broken(meta: msgspec.Meta, result: Any, value: object) -> None:
    if fault := _broken(meta, result):
        raise FaultError(*fault, value)


def _broken(meta: msgspec.Meta, value: Any) -> tuple[str, str] | None:
    size = len(value) if isinstance(value, str | list | dict) else 0
    if meta.min_length is not None and size < meta.min_length:
        fault = "too_short", f"Input should have at least {meta.min_length} characters or items"
    elif meta.max_length is not None and size > meta.max_length:
        fault = "too_long", f"Input should have at most {meta.max_length} characters or items"
    elif meta.ge is not None and value < meta.ge:
        fault = "greater_than_equal", f"Input should be greater than or equal to {meta.ge}"
    elif meta.le is not None and value > meta.le:
        fault = "less_than_equal", f"Input should be less than or equal to {meta.le}"
    else:
        return None
    if own := (meta.extra or {}).get("error"):
        return "value_error", f"Value error, {own}"
    return fault


def omittable_fields(kind: Any) -> list[str]:
    """The fields of a class that are left out unless they are set."""
    return [field.name for field in attrs.fields(kind) if field.default is msgspec.UNSET]


def _has_omittable(kind: Any) -> bool:
    return attrs.has(kind) and bool(omittable_fields(kind))


def _is_dictionary(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is dict


def _is_json_object(kind: Any) -> bool:
    return kind is dict or kind == dict[str, Any]


def _is_list(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is list


def _is_literal(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is Literal


def _is_optional(kind: Any) -> bool:
    parts = get_args(kind)
    return type(None) in parts and len(parts) == 2 and get_origin(kind) is not Annotated  # noqa: PLR2004


def _is_omittable(kind: Any) -> bool:
    return msgspec.UnsetType in get_args(kind) and get_origin(kind) is not Annotated


def _is_constrained(kind: Any) -> bool:
    marks = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return any(isinstance(mark, msgspec.Meta | Rule) for mark in marks)


def _make_converter() -> cattrs.Converter:
    made = make_converter(detailed_validation=True)
    made.register_structure_hook(str, _string)
    made.register_structure_hook(int, _integer)
    made.register_structure_hook(float, _number)
    made.register_structure_hook(bool, _boolean)
    made.register_structure_hook(UUID, _uuid)
    made.register_structure_hook_func(_is_dictionary, _dictionary)
    made.register_structure_hook_func(_is_literal, _literal)
    made.register_structure_hook_func(lambda kind: kind == JsonObject, _json_object)
    made.register_structure_hook_func(lambda kind: kind == Url, _url)
    made.register_structure_hook_factory(attrs.has, _class_hook)
    made.register_structure_hook_factory(_is_list, _list_hook)
    made.register_structure_hook_factory(_is_optional, _optional_hook)
    made.register_structure_hook_factory(_is_omittable, _omittable_hook)
    made.register_structure_hook_factory(_is_constrained, _constrained_hook)
    made.register_unstructure_hook_factory(_has_omittable, _terse_unstructure_hook)
    # What came as JSON goes as JSON: walking through it took longer than all the rest.
    made.register_unstructure_hook_func(_is_json_object, identity)
    made.register_unstructure_hook(UUID, str)
    made.register_unstructure_hook(datetime, format_time)
    return made


converter = _make_converter()
