"""JSON schemas of attrs classes: what msgspec makes of them, and what only our converter knows."""

import inspect
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, get_args

import attrs
import msgspec
from attrs import frozen

from shared.codec.hooks import FORBID_EXTRA_KEYS, omittable_fields
from shared.codec.rules import INTEGER_LIMIT, JsonObject

type Json = dict[str, Any]

ADDED_SCHEMA = "added_schema"  # class attribute: what a handler enforces, and no type says
EXAMPLE = "example"  # class attribute: what is proposed to be sent

REF = "#/components/schemas/{name}"

TIME: Json = {
    "description": "UTC with six digits and without an offset.",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$",
    "examples": ["2026-01-31T09:15:02.123456"],
}
INT64: Json = {"format": "int64", "minimum": 1 - INTEGER_LIMIT, "maximum": INTEGER_LIMIT - 1}
JSON_OBJECT: Json = {
    "anyOf": [{"type": "object"}, {"type": "string", "contentMediaType": "application/json"}],
    "description": "An object, or its JSON text.",
}


@frozen
class Schemas:
    """The schema of each type, and the components that they refer to."""

    types: list[Any]
    of_types: list[Json]
    components: Json

    def of(self, type_: Any) -> Json:
        """The schema of one of the types; a reference where it is a class."""
        return self.of_types[self.types.index(type_)]


def make_schemas(taken: Iterable[Any], given: Iterable[Any]) -> Schemas:
    """The schemas of what clients send and of what they are told."""
    taken, given = list(taken), list(given)
    types = taken + given
    schemas, components = msgspec.json.schema_components(types, ref_template=REF)
    sent = set(_classes(taken))
    for class_ in set(_classes(types)):
        _complete(class_, components[class_.__name__], is_sent=class_ in sent)
    return Schemas(types, list(schemas), components)


def _classes(types: Iterable[Any]) -> Iterator[type]:
    """The attrs classes among the types and in them, some of them more than once."""
    for type_ in types:
        if isinstance(type_, type) and attrs.has(type_):
            yield type_
            yield from _classes(field.type for field in attrs.fields(type_))
        else:
            yield from _classes(get_args(type_))


def _complete(class_: type, schema: Json, *, is_sent: bool) -> None:
    schema["description"] = inspect.getdoc(class_)
    properties = schema["properties"]
    for field in attrs.fields(class_):
        if datetime in {field.type, *get_args(field.type)}:
            properties[field.name] |= TIME
        if field.type == JsonObject:
            properties[field.name] = JSON_OBJECT
    if is_sent:
        for described in properties.values():
            _bound_integers(described)
    if getattr(class_, FORBID_EXTRA_KEYS, False):
        schema["additionalProperties"] = False
    for key, more in getattr(class_, ADDED_SCHEMA, {}).items():
        schema[key] = {**schema.get(key, {}), **more} if isinstance(more, dict) else more
    if not is_sent:  # what has a default is told all the same
        omitted = omittable_fields(class_)
        schema["required"] = [name for name in properties if name not in omitted]


def _bound_integers(schema: Json) -> None:
    for inner in schema.get("anyOf", []):
        _bound_integers(inner)
    if schema.get("type") == "integer":
        schema.update({**INT64, **schema})


def without_null(schema: Json) -> Json:
    """The schema of what may be left out, where there is no null: in a URL and in a form."""
    if "anyOf" not in schema:
        return schema
    [only] = [one for one in schema["anyOf"] if one != {"type": "null"}]
    return dict(only)
