"""JSON schemas without references, cut where they would have no end, and without what is no
schema: providers refuse all of a chat's functions for one. What is made takes all that the schema
takes; where something is cut, it takes more."""

from collections.abc import Callable
from typing import Any, TypeGuard

from msgspec import UNSET

from gateway.mcp.places import Place, Schema
from shared.codec.depth import is_too_deep

MOST_LEVELS = 24  # schemas in one another
VALUE_LEVELS = 16  # of a default, a choice, or what is unknown

TYPES = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})
SPOKEN = ("title", "description", "$comment", "format", "pattern")
ANNOTATIONS = frozenset(
    {"title", "description", "$comment", "default", "examples", "deprecated", "readOnly"}
) | {"writeOnly", "example"}
EDGES = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
COUNTS = frozenset(
    f"{edge}{what}"
    for edge in ("min", "max")
    for what in ("Length", "Items", "Properties", "Contains")
)
SCHEMAS = frozenset(
    {"items", "additionalItems", "contains", "unevaluatedItems", "additionalProperties"}
    | {"propertyNames", "unevaluatedProperties", "not", "if", "then", "else", "contentSchema"}
)
LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
MAPS = frozenset({"properties", "patternProperties", "dependentSchemas"})
LEADING = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
RESOLVED = LEADING | {"$defs", "definitions", "$id", "$schema", "$anchor", "$vocabulary"}
RESOLVED |= {"$dynamicAnchor", "$recursiveAnchor"}
# A schema that takes more in these makes the one around it take less.
TURNING = frozenset({"not", "if"})


class TooMuchError(Exception):
    """What would be made has more parts than it may have."""


class Inliner:
    """Makes one schema. Follows so many references on each way through it, no more."""

    def __init__(self, root: Schema, most_references: int, most_parts: int) -> None:
        self._root = root
        self._most = most_references
        self.parts_left = most_parts
        self._cuts = 0
        self._siblings_count = "draft-0" not in str(root.get("$schema"))

    def make(self) -> Schema:
        """The schema without references. Raises TooMuchError."""
        return self._walk(self._root, Place(self._root))

    def _walk(self, schema: object, place: Place) -> Schema:
        if schema is False:
            return {"not": {}}
        if not isinstance(schema, dict):
            return {} if schema is True else self._cut(None)
        self.parts_left -= 1
        if self.parts_left < 0:
            raise TooMuchError
        if place.level >= MOST_LEVELS:
            return self._cut(schema)
        return self._inline(schema, place) if "$ref" in schema else self._keep(schema, place)

    def _cut(self, schema: object) -> Schema:
        """No more of a schema than what it says first."""
        self._cuts += 1
        if not isinstance(schema, dict) or "$ref" in schema:
            return {}
        outline = {"type": schema.get("type"), **_said(schema)}
        if not _is_type(outline["type"]):
            del outline["type"]
        return _with_items(outline)

    def _inline(self, schema: Schema, place: Place) -> Schema:
        before = self._cuts
        reference, siblings = schema["$ref"], {k: v for k, v in schema.items() if k != "$ref"}
        if not self._siblings_count:  # as it was until 2019
            siblings = {k: v for k, v in siblings.items() if k in ANNOTATIONS}
        found = place.follow(reference, self._most)
        inlined = self._cut_reference(reference, place) if found is None else self._walk(*found)
        kept = self._keep(siblings, place, before)
        if kept.keys() <= ANNOTATIONS:
            return {**inlined, **kept}
        return {**kept, "allOf": [inlined, *kept.get("allOf", [])]}

    def _cut_reference(self, reference: object, place: Place) -> Schema:
        found = Place(place.base).follow(reference, 1)
        return self._cut(None if found is None else found[0])

    def _keep(self, schema: Schema, place: Place, before: int | None = None) -> Schema:
        """The same schema, of what is good in it; `before`: how much was cut before it."""
        before = self._cuts if before is None else before
        kept: Schema = {}
        below = place.below(schema)
        for key, value in _renew(schema).items():
            if key in RESOLVED:
                self._cuts += key in LEADING
            elif key in SPOKEN and not isinstance(value, str):
                self._cuts += key == "pattern"
            else:
                self._keep_keyword(kept, key, value, below)
        if self._cuts > before:  # then it is no longer seen what was looked at
            kept = {k: v for k, v in kept.items() if not k.startswith("unevaluated")}
        return _with_items(kept)

    def _keep_keyword(self, kept: Schema, key: str, value: object, place: Place) -> None:
        before = self._cuts
        taken = self._take(key, value, place)
        was_cut = self._cuts > before
        if taken is UNSET or (was_cut and key in TURNING):
            self._cuts += 1
        elif was_cut and key == "oneOf":
            kept.setdefault("anyOf", taken)
        elif was_cut and key == "contains":
            self._cuts += 1
        elif key == "anyOf" and key in kept:
            kept["allOf"] = [*kept.get("allOf", []), {"anyOf": taken}]
        elif key == "allOf":
            kept[key] = [*kept.get(key, []), *taken]
        else:
            kept[key] = taken

    def _take(self, key: str, value: object, place: Place) -> Any:
        """The value of a keyword; UNSET: it is none that this keyword can have."""
        if isinstance(value, bool) and key in SCHEMAS:
            return value
        if isinstance(value, dict):
            if key in SCHEMAS:
                return self._walk(value, place)
            if key in MAPS:
                return {name: self._walk(one, place) for name, one in value.items()}
        elif _is_filled(value) and key in LISTS:
            return [self._walk(one, place) for one in value]
        is_good = _GOOD.get(key, _is_value)
        return value if is_good(value) else UNSET


def _is_value(value: object) -> bool:
    return not is_too_deep(value, VALUE_LEVELS)


def _is_filled(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list) and bool(value)


def _is_names(value: object) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(name, str) for name in value)
        and len(set(value)) == len(value)
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_step(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _is_type(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and _is_names(value) and TYPES.issuperset(value)
    return isinstance(value, str) and value in TYPES


_GOOD: dict[str, Callable[[object], bool]] = {
    "type": _is_type,
    "enum": lambda value: _is_filled(value) and _is_value(value),
    "required": _is_names,
    "multipleOf": _is_step,
    **dict.fromkeys(EDGES, _is_number),
    **dict.fromkeys(COUNTS, _is_count),
    **dict.fromkeys(SCHEMAS | MAPS | LISTS, lambda _: False),
}


def _renew(schema: Schema) -> Schema:
    """The same by today's keywords, where these were others until 2020."""
    if isinstance(schema.get("items"), list):
        schema = {**schema, "prefixItems": schema["items"], "items": schema.get("additionalItems")}
        schema = {k: v for k, v in schema.items() if k != "additionalItems" and v is not None}
    if isinstance(schema.get("dependencies"), dict):
        needed = {k: v for k, v in schema["dependencies"].items() if _is_names(v)}
        others = {k: v for k, v in schema["dependencies"].items() if k not in needed}
        schema = {**schema, "dependentRequired": needed, "dependentSchemas": others}
        del schema["dependencies"]
    return schema


def _said(schema: Schema) -> Schema:
    return {k: schema[k] for k in ("title", "description") if isinstance(schema.get(k), str)}


def _with_items(schema: Schema) -> Schema:
    """A list whose items may be any: providers want to be told."""
    kinds = schema.get("type")
    is_list = kinds == "array" or (isinstance(kinds, list) and "array" in kinds)
    stated = {"items", "prefixItems", "unevaluatedItems"} & schema.keys()
    return {**schema, "items": {}} if is_list and not stated else schema
