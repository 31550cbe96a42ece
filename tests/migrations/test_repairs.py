"""What becomes of rows that the original stored and no client could read."""

import json
import re
from typing import Any
from uuid import uuid4

import pytest

from shared.domain.frames import answer_from
from shared.upgrade.migrate import TAKEOVER, load
from tests.original import RIGHT_ANSWER, RIGHT_CARD

migration = load(TAKEOVER)
repair_answer, repair_card, repair_flow = (
    migration.repair_answer,
    migration.repair_card,
    migration.repair_flow,
)
repair_object, repair_tool = migration.repair_object, migration.repair_tool

LISTS: dict[str, Any] = {"skills": [], "defaultInputModes": [], "defaultOutputModes": []}
DEEP = "[" * 500 + "]" * 500


def repaired_card(content: str) -> Any:
    return json.loads(repair_card(content, "n", "n_abcdef", "d", "http://host:1", 1)[0])


def test_a_card_that_is_right_stays_to_the_letter() -> None:
    content = json.dumps(RIGHT_CARD, indent=3)
    assert repair_card(content, "n", "any", "d", "u", 1) == (content, "n", "any", "d")


@pytest.mark.parametrize("content", ["{}", "null", "[]", "5", '"text"', '{"skills": null}', DEEP])
def test_a_card_always_has_the_lists(content: str) -> None:
    assert repaired_card(content) == LISTS


def test_a_card_that_is_stored_twice_over_loses_what_stands_beside_it() -> None:
    """As recorded after a refresh of the original."""
    skill: dict[str, Any] = {"id": "s", "name": "Second skill", "examples": None, "tags": []}
    content = {"name": "n", "description": "d", "url": "u", "provider": None, "version": "1"}
    assert repaired_card(json.dumps({**content, "skills": [skill]})) == {
        **LISTS,
        "version": "1",
        "skills": [{"id": "s", "name": "Second_skill", "tags": []}],
    }


@pytest.mark.parametrize("times", [1, 2])
def test_a_card_packed_into_text_is_unpacked(times: int) -> None:
    content = json.dumps(RIGHT_CARD)
    for _ in range(times):
        content = json.dumps(content)
    assert repaired_card(content) == RIGHT_CARD


@pytest.mark.parametrize(
    ("stored", "stated", "name"),
    [(None, "My Card", "My_Card"), ("", None, "host:1"), (None, 5, "host:1"), ("n n", "x", "n n")],
)
def test_a_card_without_a_name_gets_one(stored: str | None, stated: object, name: str) -> None:
    content = json.dumps({"name": stated})
    _, found, alias, description = repair_card(content, stored, None, None, "http://host:1", 1)
    assert (found, description) == (name, "")
    assert re.fullmatch("[^ ]+_[a-z]{6}", alias)


@pytest.mark.parametrize(
    ("alias", "taken"),
    [(None, 1), ("", 1), ("add numbers", 1), ("other_abcdef", 1), ("add numbers_abcdef", 2)],
)
def test_a_tool_gets_an_alias_of_its_exact_name(alias: str | None, taken: int) -> None:
    _, _, found = repair_tool("{}", None, alias, "add numbers", taken)
    assert re.fullmatch("add numbers_[a-z]{6}", found)
    assert found != alias


def test_a_tool_that_is_right_stays() -> None:
    stored = ('{"type":  "object"}', '{"title":  "t"}', "a_abcdef")
    assert repair_tool(*stored, "a", 1) == stored


@pytest.mark.parametrize("annotations", ["null", "[]", '"x"'])
def test_annotations_that_are_none_are_null(annotations: str) -> None:
    assert repair_tool("{}", annotations, "a_abcdef", "a", 1)[1] is None


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ('{"a":  1}', '{"a":  1}'),
        ("null", "{}"),
        ('"{\\"a\\": 1}"', '{"a": 1}'),
        ("[1]", "{}"),
        (DEEP, "{}"),
        (r'{"a\u0000b": "\u0000"}', '{"ab": ""}'),
        (r'{"a": "\ud800"}', '{"a": "?"}'),
    ],
)
def test_an_object_is_one_that_the_services_can_read(stored: str, expected: str) -> None:
    assert repair_object(stored) == (expected,)


def test_members_that_can_be_read_stay_to_the_letter() -> None:
    stored = json.dumps([{"id": str(uuid4()), "type": "a2a"}] * 2, indent=1)
    assert repair_flow(stored, {}) == (stored,)


@pytest.mark.parametrize("stored", ["null", "{}", "[]", "5", '[{"type": "genai"}]', '["x"]', "[5]"])
def test_a_flow_without_readable_members_has_one_that_is_gone(stored: str) -> None:
    assert json.loads(repair_flow(stored, {})[0]) == [{"id": migration.GONE, "type": "genai"}]


def test_a_member_without_a_type_has_that_of_what_it_names() -> None:
    known, gone = str(uuid4()), str(uuid4())
    stored = json.dumps([known, {"id": known.upper(), "type": 5}, {"id": gone}])
    assert json.loads(repair_flow(stored, {known: "mcp"})[0]) == [
        {"id": known, "type": "mcp"},
        {"id": known, "type": "mcp"},
        {"id": gone, "type": "genai"},
    ]


def test_an_answer_that_is_right_stays_to_the_letter() -> None:
    content = json.dumps(RIGHT_ANSWER, indent=2)
    assert repair_answer(content) == (content,)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("plain text", "plain text"),
        ("", ""),
        ("null", "null"),
        ('"text"', "text"),
        ("[1, 2]", [1, 2]),
        ('{"error": "e"}', {"error": "e"}),
        ('{"response": NaN}', '{"response": NaN}'),
        (DEEP, DEEP),
    ],
)
def test_any_other_answer_becomes_an_object(content: str, value: object) -> None:
    [repaired] = repair_answer(content)
    assert json.loads(repaired) == answer_from(value)
