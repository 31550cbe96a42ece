"""What can be told of arguments at a glance, whatever a schema says."""

import pytest

from gateway.mcpserver.arguments import objection_to
from tests.users import Json

SCHEMA: Json = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "unit": {"enum": ["C", "F", None]},
        "level": {"type": ["number", "null"]},
        "flag": {"type": "boolean"},
        "parts": {"type": "array"},
        "more": {"type": "object"},
        "any": True,
        "own": {"type": "date"},
    },
    "required": ["city"],
}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"days": 10**400},
        {"days": 2.0},
        {"unit": None},
        {"level": 0.5},
        {"level": None},
        {"flag": False, "parts": [], "more": {}, "any": 1, "own": "today", "unknown": 1},
    ],
)
def test_what_fits_is_not_objected_to(more: Json) -> None:
    assert objection_to({"city": "Kyiv", **more}, SCHEMA) is None


@pytest.mark.parametrize(
    ("arguments", "objection"),
    [
        ({}, "'city' is missing"),
        ({"city": 1}, "'city' must be of the type string"),
        ({"city": "", "days": 1.5}, "'days' must be of the type integer"),
        ({"city": "", "days": True}, "'days' must be of the type integer"),
        ({"city": "", "unit": "K"}, "'unit' must be one of C, F, None"),
        ({"city": "", "level": "high"}, "'level' must be of the type number or null"),
        ({"city": "", "parts": {}}, "'parts' must be of the type array"),
        ({"city": "", "more": []}, "'more' must be of the type object"),
    ],
)
def test_what_does_not_is_said(arguments: Json, objection: str) -> None:
    assert objection_to(arguments, SCHEMA) == objection


def test_a_closed_schema_takes_nothing_else() -> None:
    closed = {**SCHEMA, "additionalProperties": False}
    assert objection_to({"city": "", "else": 1}, closed) == "There is no 'else' to be given"


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"required": 5, "properties": {"a": 5, "b": [1]}, "additionalProperties": 5},
        {"required": "ab", "properties": {"a": {"type": 5, "enum": 5}}},
        {"required": [5, None, {}, ["a"]], "properties": {"a": {"type": [[], {}, None]}}},
        {"required": {"b": 1}, "properties": {"a": {"type": {}, "enum": {}}}},
    ],
)
def test_no_schema_is_too_odd(schema: Json) -> None:
    assert objection_to({"a": 1}, schema) is None
