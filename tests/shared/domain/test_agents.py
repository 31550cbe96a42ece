"""Names and aliases of agents."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.agents import (
    callable_schema,
    function_name,
    make_alias,
    make_tool_alias,
    name_function,
    normalise_name,
    text_parameter,
    tool_schema,
)

EMPTY = {"type": "object", "properties": {}}
TEXT = {"type": "string"}
MAYBE_TEXT = {"anyOf": [TEXT, {"type": "null"}]}
NUMBER = {"type": "integer"}

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["string", "object", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "required", "anyOf", "function", "parameters", "a"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("My First Agent", "my_first_agent"),
        ("  padded  ", "padded"),
        ("", ""),
        ("ŽLUŤ", "žluť"),
        ("A" * 60, "a" * 55),
        ("İ" * 55, ("İ".lower() * 55)[:55]),
    ],
)
def test_a_name_is_lower_case_without_blanks_and_not_too_long(given: str, stored: str) -> None:
    assert normalise_name(given) == stored


def test_an_alias_is_the_name_and_six_letters() -> None:
    assert re.fullmatch(r"adder_[a-z]{6}", make_alias("adder"))


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("", ""),
        ("žluť", "zlut"),
        ("bob's agent", "bob_s_agent"),
        ("a.b/c:d", "a_b_c_d"),
        ("tab\tand\nline", "tab_and_line"),
        ("отчёт", "agent"),
        ("🙂", "agent"),
        ("é" * 55, "e" * 55),
        ("x" * 500, "x" * 55),
    ],
)
def test_an_alias_is_a_name_for_a_function(name: str, beginning: str) -> None:
    alias = make_alias(name)
    assert re.fullmatch("[A-Za-z0-9_-]{1,64}", alias)
    assert alias[:-7] == beginning


def test_the_alias_of_a_tool_begins_with_its_exact_name() -> None:
    assert re.fullmatch(r"add numbers!_[a-z]{6}", make_tool_alias("add numbers!"))


@pytest.mark.parametrize(
    ("alias", "expected"),
    [
        ("echo_abcdef", "echo_abcdef"),
        ("x" * 57 + "_abcdef", "x" * 57 + "_abcdef"),
        ("add numbers_abcdef", r"add_numbers_[0-9a-f]{8}_abcdef"),
        ("a/b.c_abcdef", r"a_b_c_[0-9a-f]{8}_abcdef"),
        ("旅行_abcdef", r"tool_[0-9a-f]{8}_abcdef"),
        ("žluť_abcdef", r"zlut_[0-9a-f]{8}_abcdef"),
        ("x" * 58 + "_abcdef", r"x{48}_[0-9a-f]{8}_abcdef"),
        ("no letters", r"tool_[0-9a-f]{8}_no_let"),
    ],
)
def test_a_tool_has_a_name_that_providers_take(alias: str, expected: str) -> None:
    name = function_name(alias)
    assert re.fullmatch(expected, name)
    assert re.fullmatch("[a-zA-Z0-9_-]{1,64}", name)
    assert function_name(alias) == name


def test_names_that_providers_take_differ_where_aliases_do() -> None:
    aliases = [f"{name}_abcdef" for name in ("a b", "a.b", "a/b", "旅", "行", "é" * 60, "é" * 61)]
    assert len({function_name(alias) for alias in aliases}) == len(aliases)


@given(st.text(min_size=1))
def test_any_alias_has_a_name_that_providers_take(alias: str) -> None:
    assert re.fullmatch("[a-zA-Z0-9_-]{1,64}", function_name(alias))


def test_two_aliases_of_a_name_differ() -> None:
    assert make_alias("adder") != make_alias("adder")


def test_a_function_gets_the_name() -> None:
    schema = {"type": "function", "function": {"name": "x", "description": "d"}}
    assert name_function(schema, "y")["function"] == {"name": "y", "description": "d"}


def test_the_given_schema_stays_as_it_is() -> None:
    schema = {"function": {"name": "x"}}
    name_function(schema, "y")
    assert schema == {"function": {"name": "x"}}


@pytest.mark.parametrize("schema", [{}, {"a": 1}, {"function": None}, {"function": "f"}], ids=repr)
def test_a_schema_without_a_function_stays_as_it_is(schema: dict[str, object]) -> None:
    assert name_function(schema, "y") == schema


@pytest.mark.parametrize(
    "schema",
    [{}, {"k": "v"}, {"function": None}, {"function": {}}, {"function": {"description": " "}}],
    ids=repr,
)
def test_an_agent_that_has_said_nothing_is_a_function_without_parameters(
    schema: dict[str, object],
) -> None:
    function = {"name": "y_abcdef", "description": "stored", "parameters": EMPTY}
    expected = {"type": "function", "function": function}
    assert callable_schema(schema, "y_abcdef", "stored") == expected


@pytest.mark.parametrize("nothing", ["", "  ", "\n"], ids=repr)
def test_a_function_always_has_a_description(nothing: str) -> None:
    schema = {"function": {"description": nothing}}
    described = callable_schema(schema, "y", nothing)["function"]["description"]
    assert described == "An agent that has not said what it does"


def test_a_function_as_it_ought_to_be_stays_but_for_its_name() -> None:
    function = {"description": "d", "parameters": {"type": "object"}, "strict": True}
    schema = {"type": "function", "function": {"name": "x", **function}, "more": 1}
    expected = {"type": "function", "function": {"name": "y", **function}, "more": 1}
    assert callable_schema(schema, "y", "stored") == expected


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (None, EMPTY),
        ({}, EMPTY),
        ([], EMPTY),
        ({"type": "string"}, EMPTY),
        ({"type": "object", "properties": None}, EMPTY),
        ({"properties": {"a": {}}}, {"properties": {"a": {}}, "type": "object"}),
    ],
    ids=repr,
)
def test_parameters_are_always_those_of_an_object(stated: object, expected: object) -> None:
    schema = {"type": "function", "function": {"parameters": stated}}
    assert callable_schema(schema, "y", "d")["function"]["parameters"] == expected


def test_parameters_without_a_function_are_its_parameters() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    assert callable_schema(schema, "y", "d")["function"]["parameters"] == schema


@pytest.mark.parametrize("schema", [{}, {"properties": None}, {"type": "null"}], ids=repr)
def test_a_tool_is_always_an_object_with_properties(schema: dict[str, object]) -> None:
    expected = {**EMPTY, "title": "t_abcdef", "description": "d", "required": []}
    assert tool_schema("t_abcdef", "d", schema) == expected


def wants(required: object, **properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": required}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (wants(["a"], a=TEXT), "a"),
        (wants(["a"], a=MAYBE_TEXT), "a"),
        (wants(["a"], a={"type": ["string", "null"]}), "a"),
        (wants(["a"], a=TEXT, b=NUMBER, c=TEXT), "a"),
        (wants([], a=TEXT, b=NUMBER), "a"),
        (wants(None, a=TEXT), "a"),
        ({"properties": {"a": TEXT}}, "a"),
        (wants(["a", "b"], a=TEXT, b=TEXT), None),
        (wants(["a", "b"], a=TEXT, b=NUMBER), None),
        (wants(["b"], a=TEXT, b=NUMBER), None),
        (wants(["b"], a=TEXT), None),
        (wants([], a=TEXT, b=MAYBE_TEXT), None),
        (wants([], b=NUMBER), None),
        (wants(["a"], a={**TEXT, "enum": ["x"]}), None),
        (wants(["a"], a={}), None),
        (wants("a", a=TEXT), None),
        (EMPTY, None),
    ],
    ids=repr,
)
def test_an_agent_that_wants_one_text_says_where_it_goes(
    parameters: dict[str, object], expected: str | None
) -> None:
    assert text_parameter({"type": "function", "function": {"parameters": parameters}}) == expected
    assert text_parameter(parameters) == expected


@given(st.dictionaries(st.sampled_from(["function", "parameters", "properties"]), ANYTHING))
def test_whatever_an_agent_has_said_of_itself_can_be_asked_for_its_text(
    schema: dict[str, object],
) -> None:
    name = text_parameter(schema)
    parameters = callable_schema(schema, "y", "d")["function"]["parameters"]
    assert name is None or name in parameters["properties"]
    assert name is None or {*(parameters.get("required") or ())} <= {name}


@given(st.sets(st.text(min_size=1), min_size=1), st.data())
def test_what_is_optional_besides_the_one_text_changes_nothing(
    names: set[str], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(names)))
    rules = {other: data.draw(st.sampled_from([TEXT, NUMBER, MAYBE_TEXT])) for other in names}
    assert text_parameter(wants([name], **{**rules, name: TEXT})) == name
