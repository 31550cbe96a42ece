"""The stand-in master agent's choice of an agent, and the arguments it finds in a message."""

from typing import Any

import pytest

from devstack.choosing import Candidate, candidate_from, choose, fill_arguments, phrase

CLOCK = Candidate("1", "city_time_abcdef", "Tells the current time in a city", {})
WEATHER = Candidate("2", "weather_ghijkl", "Forecasts rain, wind and temperatures", {})
SUMS = Candidate("3", "adder_mnopqr", "Adds numbers", {"properties": {"summands": {}}})


def schema(*required: str, **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("What is the time in Kyiv right now?", CLOCK),
        ("Will there be RAIN in Paris?", WEATHER),
        ("Which temperature has Rome?", WEATHER),
        ("Two summands, please", SUMS),
        ("Sing me a song", None),
        ("What is it?", None),
    ],
)
def test_the_agent_that_shares_most_words_is_chosen(
    message: str, expected: Candidate | None
) -> None:
    assert choose(message, [CLOCK, WEATHER, SUMS]) is expected


def test_nothing_is_chosen_of_nothing() -> None:
    assert choose("What is the time?", []) is None


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("What is the time in Kyiv right now?", "Kyiv"),
        ("What time is it in Rio de Janeiro?", "Rio de Janeiro"),
        ("The time of the city of São Paulo!", "São Paulo"),
        ("weather for 3 days in New York, please", "New York"),
        ("time in san francisco please", "san francisco"),
        ("What's up?", None),
    ],
)
def test_a_name_is_found_after_a_preposition(message: str, expected: str | None) -> None:
    assert phrase(message) == expected


def test_a_string_is_the_whole_message_when_it_names_nothing() -> None:
    assert fill_arguments("Tell a joke", schema("text", text={"type": "string"})) == {
        "text": "Tell a joke"
    }


def test_numbers_are_taken_in_their_order() -> None:
    wanted = schema("a", "b", a={"type": "integer"}, b={"type": "number"}, c={"type": "integer"})
    assert fill_arguments("Add 3 and -4.5", wanted) == {"a": 3, "b": -4.5}


def test_each_required_argument_is_filled_with_something_of_its_type() -> None:
    wanted = schema(
        *"abcdef",
        a={"type": "boolean"},
        b={"type": "array"},
        c={"type": "integer"},
        d={"type": "string", "enum": ["low", "high"]},
        e={"type": "integer", "default": 7},
        f={"anyOf": [{"type": "null"}, {"type": "object"}]},
    )
    filled = fill_arguments("Make it high", wanted)
    assert filled == {"a": False, "b": [], "c": 0, "d": "high", "e": 7, "f": {}}


def test_an_optional_string_is_left_to_its_default_when_another_is_required() -> None:
    wanted = schema("city", city={"type": "string"}, language={"type": "string"})
    assert fill_arguments("The time in Kyiv", wanted) == {"city": "Kyiv"}


def test_the_first_string_takes_the_message_when_none_is_required() -> None:
    wanted = schema(text={"type": "string", "default": "hello"}, n={"type": "integer"})
    assert fill_arguments("Repeat this", wanted) == {"text": "Repeat this"}


def test_no_argument_is_made_up_for_a_schema_without_properties() -> None:
    assert fill_arguments("Go 3 times", {}) == {}


def test_an_agent_reads_the_same_from_either_contract() -> None:
    parameters = schema("city", city={"type": "string"})
    function = {"name": "clock_abcdef", "description": "Tells time", "parameters": parameters}
    agent_schema = {"type": "function", "function": function}
    enriched = {
        "agent_id": "1",
        "agent_name": "clock_abcdef",
        "agent_description": "Tells time",
        "agent_schema": agent_schema,
    }
    looked_up = {"id": "1", "name": "clock_abcdef", "type": "genai", "agent_schema": agent_schema}
    assert candidate_from(enriched) == candidate_from(looked_up)
