"""How lists, classes and marked types are built of single values: the one cattrs converter."""

from collections.abc import Callable
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, get_args, get_origin
from uuid import UUID

import attrs
import cattrs
import msgspec
from attrs import frozen
from cattrs.cols import list_structure_factory
from cattrs.fns import identity
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.preconf.orjson import make_converter

from shared.codec.faults import FaultError
from shared.codec.rules import (
    JsonObject,
    Url,
    take_boolean,
    take_date,
    take_dictionary,
    take_integer,
    take_json_object,
    take_literal,
    take_number,
    take_string,
    take_time,
    take_url,
    take_uuid,
)
from shared.codec.times import format_time

type Hook = Any  # (value, type) -> structured value; cattrs types it no closer

FORBID_EXTRA_KEYS = "forbid_extra_keys"  # class attribute by which a class asks for that


@frozen
class Rule:
    """A mark in `Annotated`; `objection` says what is wrong with a value, or None."""

    objection: Callable[[Any], str | None]


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


def _text_or_list_hook(kind: Any, converter: cattrs.BaseConverter) -> Hook:
    [items] = filter(_holds_list, get_args(kind))
    structure_items = converter.get_structure_hook(items)
    may_be_null = type(None) in get_args(kind)

    def hook(value: object, _: object) -> object:
        match value:
            case None if may_be_null:
                return None
            case list():
                return structure_items(value, items)
            case str():
                return take_string(value, str)
        raise FaultError("list_type", "Input should be a valid string or list", value)

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
    unit = "characters" if isinstance(value, str) else "items"
    if meta.min_length is not None and size < meta.min_length:
        fault = "too_short", f"Input should have at least {meta.min_length:,} {unit}"
    elif meta.max_length is not None and size > meta.max_length:
        fault = "too_long", f"Input should have at most {meta.max_length:,} {unit}"
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


def _is_text_or_list(kind: Any) -> bool:
    """Whether it is a text or a list, and null where it says so."""
    parts = [part for part in get_args(kind) if part is not type(None)]
    return len(parts) == 2 and str in parts and any(map(_holds_list, parts))  # noqa: PLR2004


def _holds_list(kind: Any) -> bool:
    """Whether it is a list, or one with marks."""
    return _is_list(kind) or (get_origin(kind) is Annotated and _is_list(get_args(kind)[0]))


def _is_omittable(kind: Any) -> bool:
    return msgspec.UnsetType in get_args(kind) and get_origin(kind) is not Annotated


def _is_constrained(kind: Any) -> bool:
    marks = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return any(isinstance(mark, msgspec.Meta | Rule) for mark in marks)


def _make_converter() -> cattrs.Converter:
    made = make_converter(detailed_validation=True)
    made.register_structure_hook(str, take_string)
    made.register_structure_hook(int, take_integer)
    made.register_structure_hook(float, take_number)
    made.register_structure_hook(bool, take_boolean)
    made.register_structure_hook(UUID, take_uuid)
    made.register_structure_hook(datetime, take_time)
    made.register_structure_hook(date, take_date)
    made.register_structure_hook_func(_is_dictionary, take_dictionary)
    made.register_structure_hook_func(_is_literal, take_literal)
    made.register_structure_hook_func(lambda kind: kind == JsonObject, take_json_object)
    made.register_structure_hook_func(lambda kind: kind == Url, take_url)
    made.register_structure_hook_factory(attrs.has, _class_hook)
    made.register_structure_hook_factory(_is_list, _list_hook)
    made.register_structure_hook_factory(_is_optional, _optional_hook)
    made.register_structure_hook_factory(_is_text_or_list, _text_or_list_hook)
    made.register_structure_hook_factory(_is_omittable, _omittable_hook)
    made.register_structure_hook_factory(_is_constrained, _constrained_hook)
    made.register_unstructure_hook_factory(_has_omittable, _terse_unstructure_hook)
    # What came as JSON goes as JSON: walking through it took longer than all the rest.
    made.register_unstructure_hook_func(_is_json_object, identity)
    made.register_unstructure_hook(UUID, str)
    made.register_unstructure_hook(datetime, format_time)
    return made


converter = _make_converter()
