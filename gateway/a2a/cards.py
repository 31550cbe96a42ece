"""The cards of A2A agents, in the one form that is stored."""

from typing import Any

APART = {"name", "description", "url"}  # stored beside the card's content


def card_content(card: dict[str, Any]) -> dict[str, Any]:
    """The content of a whole card: always with the lists, and nothing null."""
    content = {key: value for key, value in card.items() if key not in APART}
    lists = {
        "defaultInputModes": _list(card.get("defaultInputModes")),
        "defaultOutputModes": _list(card.get("defaultOutputModes")),
        "skills": [_named(skill) for skill in _list(card.get("skills")) if isinstance(skill, dict)],
    }
    return {
        key: _without_nulls(one) for key, one in {**content, **lists}.items() if one is not None
    }


def card_name(stated: str) -> str:
    """The name under which the master agent knows the agent of a card."""
    return stated.strip().replace(" ", "_")


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _named(skill: dict[str, Any]) -> dict[str, Any]:
    name = skill.get("name")
    return {**skill, "name": name.replace(" ", "_")} if isinstance(name, str) else skill


def _without_nulls(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_nulls(one) for key, one in value.items() if one is not None}
        case list():
            return [_without_nulls(one) for one in value]
    return value
