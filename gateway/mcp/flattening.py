"""The input schemas of tools in the one form that every provider takes: an object with properties,
without references, and without choices between whole schemas at its root."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import define

from gateway.mcp.inlining import Inliner, TooMuchError
from gateway.mcp.places import Schema
from shared.codec.text import write_json
from shared.domain.agents import DETAILS_LIMIT

# Followed on one way through a schema; fewer where what comes of it is too large.
REFERENCES = (16, 4, 2, 1, 0)
MOST_PARTS = 5000  # of one schema
ALL_PARTS_LIMIT = 100_000  # of all schemas of a server

COMBINING = frozenset({"allOf", "anyOf", "oneOf", "not", "enum", "const"})
COMMON = ("properties", "patternProperties", "required", "additionalProperties")
SILENT = frozenset({"$schema", "$id", "$defs", "definitions"})  # say nothing of what is taken


class UnfitError(Exception):
    """A tool that can't be called or described; the text says why, as a clause."""


@define
class Budget:
    """How many parts schemas of one server may still be given by their references."""

    parts: int = ALL_PARTS_LIMIT


def flatten(schema: object, budget: Budget | None = None) -> Schema | None:
    """A tool's input schema in that form; None: it has it already.

    It takes all that the schema takes, but what a choice at the root only lets through because it
    does not name it. Raises UnfitError.
    """
    if schema is None or schema is True:
        return {"type": "object", "properties": {}}
    if not isinstance(schema, dict):
        raise UnfitError("its input schema is none that takes an object")
    if not isinstance(schema.get("properties", {}), dict):
        raise UnfitError("its input schema has no valid properties")
    flattened = _find_fitting(schema, budget or Budget())
    stated = {k: v for k, v in schema.items() if k not in SILENT}
    whole = {"type": "object", "properties": {}, **stated}
    return None if whole == flattened else flattened


def _find_fitting(schema: Schema, budget: Budget) -> Schema:
    """By as many references as go into a schema of that size, and into the budget."""
    for most in REFERENCES:
        if most and budget.parts <= 0:
            continue
        inliner = Inliner(schema, most, MOST_PARTS)
        try:
            flattened = _flatten_root(inliner.make())
        except TooMuchError:
            continue
        finally:
            budget.parts -= MOST_PARTS - inliner.parts_left
        if len(write_json(flattened)) <= DETAILS_LIMIT:
            return flattened
    raise UnfitError("its input schema is too large")


def _flatten_root(schema: Schema) -> Schema:
    if not COMBINING & schema.keys():
        _refuse_others(schema)
        return {**schema, "type": "object", "properties": schema.get("properties", {})}
    said: Schema = {k: schema[k] for k in ("title", "description") if k in schema}
    return {"type": "object", "properties": {}, **said, **_find_object(schema)}


def _find_object(schema: Schema) -> Schema:
    """What objects are taken, by what most schemas say alone."""
    _refuse_others(schema)
    taken = {key: schema[key] for key in COMMON if key in schema}
    for part in schema.get("allOf", ()):
        taken = _take_both(taken, _find_object(part))
    for key in ("anyOf", "oneOf"):
        if key in schema:
            taken = _take_both(taken, _take_either(_find_objects(schema[key])))
    return taken


def _find_objects(schemas: Iterable[Schema]) -> list[Schema]:
    objects = []
    for schema in schemas:
        try:
            objects.append(_find_object(schema))
        except UnfitError:
            continue  # this choice is for what is no object
    if not objects:
        raise UnfitError("its input schema is not of an object")
    return objects


def _refuse_others(schema: Schema) -> None:
    kinds = schema.get("type", "object")
    values = [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())]
    if "object" not in (kinds if isinstance(kinds, list) else [kinds]) or (
        values and not any(isinstance(value, dict) for value in values)
    ):
        raise UnfitError("its input schema is not of an object")
    if schema.get("not") in ({}, True):
        raise UnfitError("its input schema takes nothing")


def _take_both(one: Schema, other: Schema) -> Schema:
    """What takes all that both take."""
    both = {**one, **other}
    for key in ("properties", "patternProperties"):
        if key in one and key in other:
            both[key] = _merge([one[key], other[key]], "allOf")
    if "required" in one and "required" in other:
        both["required"] = _distinct([*one["required"], *other["required"]])
    rest = "additionalProperties"
    if rest in one and rest in other:
        both[rest] = _join([one[rest], other[rest]], "allOf")
    return both


def _take_either(objects: Sequence[Schema]) -> Schema:
    """What takes all that one of them takes, by the properties that they have."""
    either: Schema = {"properties": _merge([one.get("properties", {}) for one in objects], "anyOf")}
    first, *others = (one.get("required", []) for one in objects)
    if required := [name for name in first if all(name in names for names in others)]:
        either["required"] = required
    if all(map(_is_closed, objects)):
        either["additionalProperties"] = False
    return either


def _is_closed(taken: Schema) -> bool:
    return taken.get("additionalProperties") is False and "patternProperties" not in taken


def _merge(maps: Sequence[Schema], word: str) -> Schema:
    names = _distinct(name for each in maps for name in each)
    return {name: _join([each[name] for each in maps if name in each], word) for name in names}


def _join(schemas: Sequence[Any], word: str) -> Any:
    """One schema for all of these; False is one that takes nothing."""
    distinct = _distinct(schemas, write_json)
    if len(distinct) == 1:
        return distinct[0]
    if word == "allOf" and False in distinct:
        return False
    return {word: distinct}


def _distinct[T](values: Iterable[T], key: Callable[[T], object] = lambda value: value) -> list[T]:
    return list({key(value): value for value in values}.values())
