"""Input schemas in the form that providers take: what is taken before is taken after."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gateway.mcp.flattening import COMBINING, UnfitError, flatten
from shared.codec.depth import is_too_deep
from shared.domain.agents import DETAILS_LIMIT

NAMES = st.sampled_from("abc")
REFERENCES = st.sampled_from(["#", "#/$defs/a", "#/$defs/b", "#c"])
SCALARS = st.sampled_from([None, True, False, 0, 1, 2.5, "", "a", "bb"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2)
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=3)
TYPES = st.sampled_from(["object", "array", "string", "integer", "null", ["object", "null"]])


def keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    many = st.lists(inner, min_size=1, max_size=2)
    named = st.dictionaries(NAMES, inner, max_size=2)
    each: dict[str, st.SearchStrategy[Any]] = {
        "type": TYPES,
        "properties": named,
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "d"]), inner, max_size=1),
        "required": st.lists(NAMES, unique=True, max_size=2),
        "minProperties": st.integers(0, 2),
        "maxContains": st.integers(0, 2),
        "enum": st.lists(VALUES, min_size=1, max_size=2, unique_by=json.dumps),
        "$ref": REFERENCES,
        **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), many),
        **dict.fromkeys(("not", "if", "then", "else", "items", "contains"), inner),
        **dict.fromkeys(("additionalProperties", "unevaluatedProperties"), inner),
        "dependentSchemas": named,
    }
    some = st.sets(st.sampled_from(sorted(each)), max_size=3)
    return some.flatmap(lambda keys: st.fixed_dictionaries({key: each[key] for key in keys}))


SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.builds(dict, type=TYPES), keywords, max_leaves=6
)
# What chooses at the root leaves what it does not name to chance: these have it elsewhere alone.
ROOTS = keywords(SCHEMAS).map(
    lambda root: {k: v for k, v in root.items() if k not in {"anyOf", "oneOf", "$ref"}}
)
DEFINITIONS = st.fixed_dictionaries({"a": SCHEMAS, "b": SCHEMAS})
slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100)


def takes(schema: dict[str, Any], value: object) -> bool:
    try:
        taken: bool = Draft202012Validator(schema).is_valid(value)
    except RecursionError:  # it has no end, and takes nothing
        return False
    return taken


def whole(schema: dict[str, Any]) -> dict[str, Any]:
    flattened = flatten(schema)
    return {"type": "object", "properties": {}, **schema} if flattened is None else flattened


def is_choosing(schema: object) -> bool:
    """Whether its root chooses, by way of parts that are all for the root."""
    match schema:
        case {"anyOf": _} | {"oneOf": _} | {"$ref": _}:
            return True
        case {"allOf": parts}:
            return any(map(is_choosing, parts))
    return False


@slow
@given(ROOTS, DEFINITIONS, st.lists(OBJECTS, min_size=1, max_size=5))
def test_what_a_schema_takes_is_taken_when_it_is_flattened(
    root: dict[str, Any], definitions: dict[str, Any], values: list[dict[str, Any]]
) -> None:
    named = {"x": {"$anchor": "c", "type": "object"}}
    schema = {**root, "$defs": {**definitions, **named}}
    assume(not is_choosing(root))
    try:
        flattened = whole(schema)
    except UnfitError:
        flattened = {"not": {}}
    for value in values:
        assert takes(flattened, value) or not takes(schema, value)


@slow
@given(keywords(SCHEMAS), DEFINITIONS)
def test_what_is_flattened_is_fit_for_all_providers(
    root: dict[str, Any], definitions: dict[str, Any]
) -> None:
    try:
        flattened = whole({**root, "$defs": definitions})
    except UnfitError:
        return
    Draft202012Validator.check_schema(flattened)
    assert flattened["type"] == "object"
    assert not COMBINING & flattened.keys()
    assert "$ref" not in json.dumps({k: v for k, v in flattened.items() if k != "$defs"})
    assert len(json.dumps(flattened)) <= DETAILS_LIMIT
    assert not is_too_deep(flattened)


@slow
@given(st.recursive(VALUES, keywords, max_leaves=6))
def test_whatever_comes_is_flattened_or_told_to_be_none(schema: object) -> None:
    with suppress(UnfitError):
        Draft202012Validator.check_schema(flatten(schema) or {})


NODE = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "next": {"$ref": "#/$defs/Node"}},
    "required": ["value"],
}


def test_a_recursive_schema_is_cut_at_a_depth() -> None:
    flattened = flatten(
        {
            "type": "object",
            "properties": {"first": {"$ref": "#/$defs/Node"}},
            "$defs": {"Node": NODE},
        }
    )
    assert flattened is not None
    second = flattened["properties"]["first"]["properties"]["next"]
    assert second["properties"] == {"value": {"type": "integer"}, "next": {"type": "object"}}
    assert second["required"] == ["value"]


def test_a_root_that_refers_is_what_it_refers_to() -> None:
    flattened = flatten(
        {"$ref": "#/$defs/Node", "title": "T", "$defs": {"Node": {**NODE, "title": "N"}}}
    )
    assert flattened is not None
    assert (flattened["title"], flattened["required"]) == ("T", ["value"])


def test_choices_at_the_root_become_properties_of_one_object() -> None:
    by_name = {
        "properties": {"name": {"type": "string"}, "by": {"const": 1}},
        "required": ["by", "name"],
    }
    by_id = {"properties": {"id": {"type": "integer"}, "by": {"const": 2}}, "required": ["by"]}
    assert flatten({"anyOf": [by_name, {"type": "null"}, by_id], "type": "object"}) == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "by": {"anyOf": [{"const": 1}, {"const": 2}]},
            "id": {"type": "integer"},
        },
        "required": ["by"],
    }


def test_parts_of_the_root_come_together() -> None:
    parts = [
        {"properties": {"a": {"minimum": 1}}, "required": ["a"]},
        {"properties": {"a": {"type": "integer"}}},
    ]
    assert flatten({"allOf": parts, "properties": {"b": True}}) == {
        "type": "object",
        "properties": {"b": {}, "a": {"allOf": [{"minimum": 1}, {"type": "integer"}]}},
        "required": ["a"],
    }


@pytest.mark.parametrize("schema", [None, True, {}, {"$schema": "x"}, {"type": ["object", "null"]}])
def test_a_schema_that_says_nothing_takes_an_empty_object(schema: dict[str, Any]) -> None:
    assert whole_or_own(schema) == {"type": "object", "properties": {}}


def whole_or_own(schema: Any) -> dict[str, Any]:
    flattened = flatten(schema)
    return {"type": "object", "properties": {}} if flattened is None else flattened


@pytest.mark.parametrize(
    "schema",
    [
        False,
        5,
        [],
        "object",
        {"type": "array"},
        {"properties": []},
        {"anyOf": [{"type": "string"}, False]},
        {"enum": [1]},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "integer"}}},
    ],
)
def test_what_takes_no_object_can_not_be_called(schema: object) -> None:
    with pytest.raises(UnfitError, match="its input schema "):
        flatten(schema)


def test_what_refers_in_all_ways_to_everything_is_cut_where_it_fits() -> None:
    names = [f"d{number}" for number in range(40)]
    everything = {name: {"$ref": f"#/$defs/{name}"} for name in names}
    definitions = {name: {"type": "object", "properties": everything} for name in names}
    flattened = flatten({"type": "object", "properties": everything, "$defs": definitions})
    assert flattened is not None
    assert flattened["properties"].keys() == everything.keys()
    assert len(json.dumps(flattened)) <= DETAILS_LIMIT


def test_a_reference_to_no_place_in_a_list_leads_to_nothing() -> None:
    for index in ("1", "-1", "1" * 5000):
        refers = {"properties": {"a": {"$ref": f"#/allOf/{index}"}}, "allOf": [{}]}
        flattened = flatten(refers)
        assert flattened is not None
        assert flattened["properties"] == {"a": {}}


def test_a_hundred_levels_are_cut() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(100):
        schema = {"type": "object", "properties": {"a": schema}}
    flattened = flatten(schema)
    assert flattened is not None
    assert not is_too_deep(flattened)
    assert flattened["properties"]["a"]["properties"]["a"]["type"] == "object"


def test_a_common_schema_stays_as_it_is() -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"a": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}},
        "additionalProperties": False,
        "x-own": {"a": 1},
    }
    assert flatten(schema) is None


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"type": "text"}, {}),
        ({"type": "array"}, {"type": "array", "items": {}}),
        ("string", {}),
        ({"enum": []}, {}),
        ({"minimum": "1", "required": True, "description": 5}, {}),
        ({"$ref": "https://example.com/x.json", "description": "D"}, {"description": "D"}),
        ({"$ref": "#/properties/b~1b"}, {"type": "integer"}),
    ],
)
def test_a_property_that_providers_would_refuse_is_put_right(given: Any, made: Any) -> None:
    flattened = flatten({"properties": {"a": given, "b/b": {"type": "integer"}}})
    assert flattened is not None
    assert flattened["properties"]["a"] == made
