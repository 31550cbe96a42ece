"""What is taken of a card: by the SDK of each generation, and of ones that are odd."""

import json
from typing import Any

import pytest

from gateway.a2a.cards import MOST_SKILLS, read_card
from gateway.a2a.interfaces import Interface, read_interfaces
from gateway.a2a.lookup import FoundCard
from gateway.a2a.storing import StoredCard, complete
from gateway.remote.errors import UnreachableError
from gateway.remote.left_out import LeftOut

SKILL = {"id": "s", "name": "A skill", "description": "Does one thing.", "tags": ["t"]}
CARD = {"name": "n", "description": "d", "url": "https://h/rpc", "skills": [SKILL]}
ADDRESS = "https://h"
HALF = "\\ud800"

# As servers of these versions of a2a-sdk answer.
COMMON: dict[str, Any] = {**CARD, "capabilities": {"streaming": False}, "version": "1.0.0"}
OF_0_2_5 = COMMON
OF_0_2_16 = {**COMMON, "protocolVersion": "0.2.6"}
OF_0_3_26 = {
    **COMMON,
    "protocolVersion": "0.3.0",
    "preferredTransport": "JSONRPC",
    "additionalInterfaces": [
        {"transport": "JSONRPC", "url": "https://h/rpc"},
        {"transport": "HTTP+JSON", "url": "https://h/v1"},
    ],
}
OF_1_3_0 = {
    **COMMON,
    "protocolVersion": "0.3",
    "preferredTransport": "JSONRPC",
    "supportedInterfaces": [
        {"url": "https://h/v1", "protocolBinding": "HTTP+JSON", "protocolVersion": "1.0"},
        {
            "url": "https://h/rpc",
            "protocolBinding": "JSONRPC",
            "protocolVersion": "0.3",
            "tenant": "t",
        },
    ],
}


def interfaces(card: object) -> list[Interface]:
    return read_interfaces(read_card(json.dumps(card).encode()), ADDRESS)


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        (OF_0_2_5, [Interface("https://h/rpc", "JSONRPC", "0.3.0")]),
        (OF_0_2_16, [Interface("https://h/rpc", "JSONRPC", "0.2.6")]),
        (
            OF_0_3_26,
            [
                Interface("https://h/rpc", "JSONRPC", "0.3.0"),
                Interface("https://h/v1", "HTTP+JSON", "0.3.0"),
            ],
        ),
        (
            OF_1_3_0,
            [
                Interface("https://h/v1", "HTTP+JSON", "1.0"),
                Interface("https://h/rpc", "JSONRPC", "0.3", "t"),
            ],
        ),
        ({"name": "n", "description": "d"}, [Interface(ADDRESS, "JSONRPC", "0.3.0")]),
        ({**CARD, "url": 5}, [Interface(ADDRESS, "JSONRPC", "0.3.0")]),
        (
            {**CARD, "supportedInterfaces": [5, {}]},
            [Interface("https://h/rpc", "JSONRPC", "0.3.0")],
        ),
        (
            {**CARD, "preferredTransport": "GRPC", "additionalInterfaces": [None, {"url": "x"}]},
            [Interface("https://h/rpc", "GRPC", "0.3.0")],
        ),
    ],
)
def test_where_calls_go_is_what_the_card_says(card: object, expected: list[Interface]) -> None:
    assert interfaces(card) == expected


def test_calls_go_to_so_many_interfaces_at_most() -> None:
    many = [{"url": f"https://h/{number}"} for number in range(1000)]
    assert len(interfaces({**CARD, "supportedInterfaces": many})) == 20


@pytest.mark.parametrize(
    ("odd", "names"),
    [
        ({"description": None}, []),
        ({"description": ["d"]}, ["description"]),
        ({"skills": {"s": SKILL}}, ["skills"]),
        ({"skills": "none"}, ["skills"]),
        ({"skills": [SKILL, 1, None]}, ["skills[1]", "skills[2]"]),
        (
            {"skills": [{**SKILL, "description": {}, "tags": "t"}]},
            ["skills[0].description", "skills[0].tags"],
        ),
        ({"defaultInputModes": [{}]}, ["defaultInputModes"]),
        ({"defaultInputModes": "text"}, ["defaultInputModes"]),
        (
            {"capabilities": True, "provider": [], "iconUrl": {}},
            ["capabilities", "provider", "iconUrl"],
        ),
        ({"supportsAuthenticatedExtendedCard": "yes"}, ["supportsAuthenticatedExtendedCard"]),
        ({"url": 5}, ["url"]),
        ({"name": 5}, ["name"]),
        ({"name": " \n"}, ["name"]),
        ({"unknown": {"a": [1]}}, []),
    ],
)
def test_a_part_that_is_odd_costs_that_part_alone(odd: dict[str, Any], names: list[str]) -> None:
    card = read_card(json.dumps({**CARD, **odd}).encode())
    assert sorted({one.name for one in card.left_out}) == sorted(names)
    assert card.name == ("" if "name" in names else "n")
    assert {type(card.content[part]) for part in ("skills", "defaultInputModes")} == {list}
    assert all(isinstance(skill, dict) for skill in card.content["skills"])
    assert not names or not odd.keys() & card.content.keys() - {"skills", "defaultInputModes"}


def test_what_is_left_out_has_a_reason() -> None:
    card = read_card(json.dumps({**CARD, "skills": {}, "description": 5}).encode())
    assert card.left_out == [
        LeftOut("description", "it is no text"),
        LeftOut("skills", "it is no list"),
    ]


@pytest.mark.parametrize("broken", ["\\u0000", HALF])
def test_characters_that_can_t_be_stored_are_replaced_wherever_they_are(broken: str) -> None:
    whole = {**OF_1_3_0, "provider": {"x": ["y"]}, "security": [{"k": ["v"]}]}
    text = json.dumps(whole)
    for word in ("n", "d", "A skill", "Does one thing.", "t", "x", "y", "k", "v", "1.0.0"):
        card = read_card(text.replace(f'"{word}"', f'"{word}{broken}"').encode())
        kept = json.dumps([card.name, card.description, card.content])
        assert "\\ufffd" in kept
        assert broken not in kept
        assert card.left_out == []
        assert len(card.content["skills"]) == 1


def test_what_is_nested_too_deeply_costs_that_part_alone() -> None:
    for levels in (120, 5000):
        deep = "[" * levels + "]" * levels
        text = json.dumps({**CARD, "extra": 0})[:-2] + deep + "}"
        card = read_card(text.encode())
        assert (card.name, card.content.get("extra")) == ("n", None)
        assert card.left_out == [LeftOut("extra", "it is nested too deeply")]


def test_so_many_skills_are_kept() -> None:
    card = read_card(json.dumps({**CARD, "skills": [SKILL] * (MOST_SKILLS + 5)}).encode())
    assert len(card.content["skills"]) == MOST_SKILLS
    assert card.left_out == [LeftOut("skills[1000]", "there are more than 1,000")]


@pytest.mark.parametrize(
    "text", [b"", b"<html>", b"null", b"[]", b"5", b"{}", b'{"name":"n"}', b'{"url":"https://h"}']
)
def test_what_is_no_card_is_told(text: bytes) -> None:
    with pytest.raises(UnreachableError, match="its card is not one of an A2A agent"):
        read_card(text)


def test_a_card_is_completed_by_one_from_before_parts_were_judged() -> None:
    old_skills = [{"id": ["s"], "name": "A"}, {"name": "B"}, {"id": "s", "name": "C", "tags": "t"}]
    stored = StoredCard("n", "d", {"skills": old_skills}, [])
    now = {**CARD, "description": 5, "skills": [{"id": ["s"]}, {"id": "s", "name": ["C"]}]}
    card = read_card(json.dumps(now).encode())
    found = FoundCard(ADDRESS, ADDRESS, card, read_interfaces(card, ADDRESS))
    completed = complete(found, stored).card
    assert completed.description == "d"
    assert completed.content["skills"] == [{}, {"id": "s", "name": "C", "tags": "t"}]
