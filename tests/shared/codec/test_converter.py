"""Strict where JSON comes in, the contract's formats where it goes out."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import orjson
import pytest
from asyncpg.pgproto import pgproto
from attrs import frozen
from msgspec import UNSET, Meta, UnsetType

from shared.codec.converter import SEARCHED_PLACES, dump, parse, structure, unstructure
from shared.codec.depth import DEPTH_LIMIT
from shared.codec.faults import Fault, InvalidInputError
from shared.codec.hooks import Rule
from shared.codec.rules import JsonObject
from shared.codec.times import format_time

ID = "6f1b2f6c-1d0a-4a3e-9a51-0f2a5b8c7d9e"
MOST = 2**63 - 1


def objection(word: str) -> str | None:
    return "no shouting" if word.isupper() else None


@frozen(slots=False)
class Part:
    id: UUID
    size: int = 0


@frozen(slots=False)
class Whole:
    name: str
    parts: list[Part]
    note: str | None = None


@frozen
class Changes:
    name: Annotated[str, Meta(max_length=3)] | UnsetType = UNSET
    note: Annotated[str, Meta(max_length=3)] | UnsetType | None = UNSET


@frozen
class Closed:
    forbid_extra_keys: ClassVar[bool] = True

    name: str


@frozen(slots=False)
class Terse:
    name: str
    note: str | UnsetType = UNSET
    more: str | None = None


@frozen
class Bounded:
    word: Annotated[str, Meta(min_length=2, max_length=4)] = "abc"
    items: Annotated[list[int], Meta(max_length=2)] = []  # noqa: RUF008 (never changed)
    number: Annotated[int, Meta(ge=0, le=20)] = 1
    title: Annotated[str, Meta(max_length=1, extra={"error": "own words"})] = ""
    quiet: Annotated[str, Rule(objection)] = ""


def faults(data: object, into: Any) -> list[Fault]:
    with pytest.raises(InvalidInputError) as caught:
        structure(data, into)
    return caught.value.faults


def types(data: object, into: Any) -> list[str]:
    return [fault.type for fault in faults(data, into)]


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def test_all_faults_come_at_once_each_with_the_way_to_it() -> None:
    found = faults({"parts": [{"id": ID}, {"id": "x", "size": "y"}, {}], "note": 5}, Whole)
    assert {(fault.type, fault.loc) for fault in found} == {
        ("missing", ("name",)),
        ("uuid_parsing", ("parts", 1, "id")),
        ("int_parsing", ("parts", 1, "size")),
        ("missing", ("parts", 2, "id")),
        ("string_type", ("note",)),
    }


def test_a_fault_repeats_the_value_that_it_is_about() -> None:
    assert faults({"id": "x"}, Part)[0].input == "x"


def test_a_missing_field_repeats_the_object_that_lacks_it() -> None:
    [fault] = faults({"size": 1}, Part)
    assert (fault.msg, fault.input) == ("Field required", {"size": 1})


@pytest.mark.parametrize("value", [5, True, None, 1.5, ["a"], {"a": "b"}], ids=repr)
def test_nothing_is_made_a_string(value: object) -> None:
    assert types(value, str) == ["string_type"]


@pytest.mark.parametrize("into", [int, float, bool, str, UUID, dict[str, Any], list[int], Part])
def test_null_is_no_value(into: type) -> None:
    assert types(None, into)


@pytest.mark.parametrize("into", [int, float])
@pytest.mark.parametrize("value", [True, None, [], {}, [1]], ids=repr)
def test_what_is_no_number_is_not_made_one(value: object, into: type) -> None:
    assert types(value, into)[0] in {"int_type", "float_type"}


@pytest.mark.parametrize(
    ("given", "number"),
    [("5", 5), ("-5", -5), (" 7 ", 7), ("1.0", 1), (5, 5), (5.0, 5), (str(MOST), MOST)],
    ids=repr,
)
def test_an_integer_is_taken_as_a_string_too(given: object, number: int) -> None:
    result = structure(given, int)
    assert (result, type(result)) == (number, int)


@pytest.mark.parametrize(
    "text", ["", "abc", "1.5", "1e3", "1_000", "--5", "-", "+-1", "٣", "0x10"], ids=repr
)
def test_a_string_that_is_no_integer_is_refused_in_the_contracts_words(text: str) -> None:
    [fault] = faults(text, int)
    assert fault.type == "int_parsing"
    assert fault.msg == "Input should be a valid integer, unable to parse string as an integer"


@pytest.mark.parametrize(
    "value",
    [2**63, -(2**63) - 1, 10**30, 1.5, float("inf"), float("nan"), str(2**63), "9" * 5000, 1e300],
    ids=lambda value: repr(value)[:20],
)
def test_an_integer_that_no_column_holds_is_refused(value: object) -> None:
    assert len(faults(value, int)) == 1


@pytest.mark.parametrize(
    ("given", "number"), [("1.3", 1.3), ("1", 1.0), (1, 1.0), (0.7, 0.7), ("-1e3", -1000.0)]
)
def test_a_number_is_taken_as_a_string_too(given: object, number: float) -> None:
    result = structure(given, float)
    assert (result, type(result)) == (number, float)


@pytest.mark.parametrize("value", ["nan", "inf", "-Infinity", float("nan"), float("inf"), "1e999"])
def test_a_number_is_finite(value: object) -> None:
    assert types(value, float) == ["finite_number"]


def test_a_string_that_is_no_number_is_refused() -> None:
    assert types("hot", float) == ["float_parsing"]


@pytest.mark.parametrize(
    ("given", "result"),
    [(True, True), (False, False), ("true", True), ("FALSE", False), ("1", True), ("0", False)],
)
def test_a_boolean_is_taken_as_a_query_has_it(given: object, *, result: bool) -> None:
    assert structure(given, bool) is result


@pytest.mark.parametrize("value", [1, 0, "yes", "", None, []], ids=repr)
def test_nothing_else_is_made_a_boolean(value: object) -> None:
    assert types(value, bool) == ["bool_type"]


@pytest.mark.parametrize(
    "text", [ID, ID.upper(), ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}"]
)
def test_a_uuid_is_taken_in_each_of_its_forms(text: str) -> None:
    assert structure(text, UUID) == UUID(ID)


@pytest.mark.parametrize("text", ["", "abc", ID[:-1], f"{ID}0", ID.replace("6", "g"), f"{ID}\x00"])
def test_a_text_that_is_no_uuid_is_refused(text: str) -> None:
    assert types(text, UUID) == ["uuid_parsing"]


@pytest.mark.parametrize("value", [5, None, [], {}], ids=repr)
def test_what_is_no_text_is_no_uuid(value: object) -> None:
    assert types(value, UUID) == ["uuid_type"]


@pytest.mark.parametrize(
    ("value", "into"),
    [
        ("a\x00b", str),
        ("\x00", str | None),
        (["a", "\x00"], list[str]),
        ({"a": "\x00"}, dict[str, Any]),
        ({"\x00": 1}, dict[str, Any]),
        ({"a": [{"b": ["\x00"]}]}, dict[str, Any]),
        ({"a": {"\x00": 1}}, JsonObject),
        ('{"a": "\\u0000"}', JsonObject),
    ],
)
def test_a_nul_character_is_refused_anywhere(value: object, into: type) -> None:
    [fault] = faults(value, into)
    assert (fault.type, "NUL" in fault.msg) == ("value_error", True)


@pytest.mark.parametrize(
    "value", [{"a": [1]}, '{"a": [1]}', ' {"a" : [1]} '], ids=["object", "text", "blanks"]
)
def test_an_object_is_taken_as_its_json_text_too(value: object) -> None:
    assert structure(value, JsonObject) == {"a": [1]}


@pytest.mark.parametrize("value", [None, [], "", "abc", "[1]", "5", '"{}"', 5], ids=repr)
def test_what_is_no_object_is_refused_as_one(value: object) -> None:
    assert types(value, JsonObject) == ["dict_type"]


def test_a_plain_dictionary_is_not_taken_as_text() -> None:
    assert types("{}", dict[str, Any]) == ["dict_type"]


@pytest.mark.parametrize("value", ["ab", {}, 5, None, {"0": "a"}], ids=repr)
def test_only_a_list_is_a_list(value: object) -> None:
    assert types(value, list[str]) == ["list_type"]


@pytest.mark.parametrize("value", [[1], "text", 5, None], ids=repr)
def test_only_an_object_has_fields(value: object) -> None:
    assert types(value, Part) == ["model_attributes_type"]


@pytest.mark.parametrize("value", ["C", "", 5, None, "A "], ids=repr)
def test_a_choice_is_one_of_those_offered(value: object) -> None:
    [fault] = faults(value, Literal["A", "B"])
    assert (fault.type, fault.msg) == ("enum", "Input should be 'A' or 'B'")


@pytest.mark.parametrize("value", [[], {}, {"a": []}], ids=repr)
def test_a_choice_is_not_confused_by_what_cannot_be_one(value: object) -> None:
    assert types(value, Literal["A"]) == ["enum"]


@pytest.mark.parametrize(
    ("field", "value", "type_"),
    [
        ("word", "a", "too_short"),
        ("word", "abcde", "too_long"),
        ("items", [1, 2, 3], "too_long"),
        ("number", -1, "greater_than_equal"),
        ("number", "21", "less_than_equal"),
        ("number", [1], "int_type"),
        ("word", ["a", "b"], "string_type"),
        ("title", "ab", "value_error"),
        ("quiet", "LOUD", "value_error"),
    ],
)
def test_a_documented_bound_is_enforced(field: str, value: object, type_: str) -> None:
    [fault] = faults({field: value}, Bounded)
    assert (fault.type, fault.loc, fault.input) == (type_, (field,), value)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("title", "ab", "Value error, own words"), ("quiet", "LOUD", "Value error, no shouting")],
)
def test_a_bound_may_have_words_of_its_own(field: str, value: str, words: str) -> None:
    [fault] = faults({field: value}, Bounded)
    assert fault.msg == words


@pytest.mark.parametrize(
    ("field", "value"), [("word", "ab"), ("word", "abcd"), ("number", 0), ("number", 20)]
)
def test_a_bound_belongs_to_what_it_allows(field: str, value: object) -> None:
    assert getattr(structure({field: value}, Bounded), field) == value


def test_unknown_keys_are_ignored() -> None:
    assert structure({"id": ID, "colour": "red"}, Part) == Part(UUID(ID))


def test_unknown_keys_are_refused_where_a_class_says_so() -> None:
    found = faults({"name": "a", "y": 2, "x": 1}, Closed)
    assert [(fault.type, fault.loc, fault.input) for fault in found] == [
        ("extra_forbidden", ("x",), 1),
        ("extra_forbidden", ("y",), 2),
    ]


def test_text_that_is_no_json_is_a_fault() -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse("{", Part)
    assert [fault.type for fault in caught.value.faults] == ["json_invalid"]


def test_bytes_that_are_no_utf_8_are_a_fault() -> None:
    with pytest.raises(InvalidInputError):
        parse(b'{"id": "\xff"}', Part)


@pytest.mark.parametrize("depth", [200, 500, 1000])
def test_deep_json_is_taken_or_refused_but_breaks_nothing(depth: int) -> None:
    text = dump_nested(depth)
    try:
        parse(text, dict[str, Any])
    except InvalidInputError as error:
        assert len(error.faults) == 1  # noqa: PT017 (either way is right)


@pytest.mark.parametrize("depth", [200, 500, 1000])
def test_a_fault_about_deep_json_can_be_written(depth: int) -> None:
    with pytest.raises(InvalidInputError) as caught:
        structure({"id": nested(depth)}, Part)
    assert dump(caught.value.faults)


def dump_nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (datetime(2026, 1, 31, 9, 15, 2, 123456), "2026-01-31T09:15:02.123456"),  # noqa: DTZ001
        (datetime(2026, 1, 31, 9, 15, 2), "2026-01-31T09:15:02.000000"),  # noqa: DTZ001
        (datetime(2026, 1, 31, 9, 15, 2, tzinfo=UTC), "2026-01-31T09:15:02.000000"),
        (
            datetime(2026, 1, 31, 9, 15, 2, 5, tzinfo=timezone(timedelta(hours=2))),
            "2026-01-31T07:15:02.000005",
        ),
    ],
    ids=["naive", "whole second", "UTC", "offset"],
)
def test_a_time_is_naive_utc_with_six_digits(time: datetime, text: str) -> None:
    assert format_time(time) == text == unstructure(time)


@pytest.mark.parametrize("microsecond", [0, 5, 500_000, 999_999])
@pytest.mark.parametrize("zone", [None, UTC, timezone(timedelta(hours=-2))], ids=str)
def test_a_time_is_the_same_in_the_text_of_an_object(
    microsecond: int, zone: timezone | None
) -> None:
    times = [datetime(year, 1, 31, 9, 15, 2, microsecond, tzinfo=zone) for year in (1999, 2026)]
    texts = [format_time(each) for each in times]
    assert dump(times) == orjson.dumps(texts)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", each) for each in texts)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T09:15:02",
        "2026-01-31T09:15:02Z it began",
        "2026-01-31T09:15:02.123456",
        '"2026-01-31T09:15:02"',
        "at 2026-01-31T09:15:02",
    ],
)
def test_a_text_that_holds_a_time_stays_as_it_is(text: str) -> None:
    whole = Whole(text, [], text)
    assert orjson.loads(dump(whole)) == {"name": text, "parts": [], "note": text}


VALUES = {
    "text": 'ü 漢 🙂 " \\ / \x07 \u2028 </script>',
    "number": [0, -1, 1.0, -0.0, 0.1, 1e300, 5e-324, 1e16, 2**63 - 1, -(2**63), 2**64 - 1],
    "others": [None, True, False, [], {}, "", {"": {"a": [[]]}}],
}


@pytest.mark.parametrize("time", ["", "2026-01-31T09:15:02"], ids=["usual way", "slower way"])
def test_both_ways_write_the_same_json(time: str) -> None:
    value = {**VALUES, "time": time}
    assert orjson.loads(dump(value)) == value == orjson.loads(orjson.dumps(unstructure(value)))


def test_json_is_written_as_deep_as_it_is_taken() -> None:
    value = structure({"a": nested(DEPTH_LIMIT - 2)}, dict[str, Any])
    assert orjson.loads(dump(value)) == value


def test_an_id_is_written_in_lower_case() -> None:
    assert unstructure(Part(UUID(ID.upper()))) == {"id": ID, "size": 0}
    assert dump(Part(pgproto.UUID(ID.upper()))) == dump(Part(UUID(ID)))
    assert dump(Part(UUID(ID))) == f'{{"id":"{ID}","size":0}}'.encode()


def test_a_key_without_a_value_is_written_as_null() -> None:
    assert dump(Whole("a", [])) == b'{"name":"a","parts":[],"note":null}'


def test_a_key_without_a_value_is_left_out_where_a_class_says_so() -> None:
    told = b'[{"name":"a","more":null},{"name":"b","note":"c","more":null}]'
    assert dump([Terse("a"), Terse("b", "c")]) == told
    assert unstructure([Terse("a"), Terse("b", "c")]) == orjson.loads(told)


def test_what_may_be_left_out_differs_from_null() -> None:
    assert structure({}, Changes) == Changes(UNSET, UNSET)
    assert structure({"name": "a", "note": None}, Changes) == Changes("a", None)


@pytest.mark.parametrize("given", [{"name": None}, {"name": "long"}, {"note": "long"}], ids=str)
def test_what_may_be_left_out_is_checked_where_it_is_there(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        structure(given, Changes)


def test_a_long_text_is_told_as_a_short_one_is() -> None:
    @frozen(slots=False)
    class Told:
        text: str
        time: datetime

    for time in (datetime(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5, 678)):  # noqa: DTZ001
        short, long = (dump(Told("T" * count, time)) for count in (1, SEARCHED_PLACES))
        assert long.replace(b"T" * SEARCHED_PLACES, b"T") == short
