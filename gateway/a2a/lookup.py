"""What an A2A agent says about itself on its card, in either generation of the protocol."""

from typing import Annotated, Any

import httpx2
from attrs import frozen
from msgspec import Meta

from gateway.outbound import Outbound, UnreachableError
from shared.converter import parse
from shared.faults import InvalidInputError

CARD_PATHS = ("/.well-known/agent-card.json", "/.well-known/agent.json")
APART = {"name", "description", "url"}  # stored beside the card's content


@frozen
class StatedCard:
    """What a card must have, and what it must not have otherwise."""

    name: Annotated[str, Meta(min_length=1)]
    description: str
    skills: list[dict[str, Any]] | None = None
    defaultInputModes: list[str] | None = None  # noqa: N815 (the protocol's word)
    defaultOutputModes: list[str] | None = None  # noqa: N815


@frozen
class FoundCard:
    """A card in the form that is stored."""

    name: str
    description: str
    content: dict[str, Any]


async def look_up(outbound: Outbound, url: str) -> FoundCard:
    """The card of the agent at this host. Raises UnreachableError."""
    async with outbound.visit() as http:
        for path in CARD_PATHS:
            answer = await http.get(url + path)
            if answer.status_code == httpx2.codes.OK:
                return read_card(answer.content)
    raise UnreachableError(f"its card is answered with {answer.status_code}")


def read_card(text: bytes) -> FoundCard:
    """A card from its JSON. Raises UnreachableError for what is none."""
    try:
        stated = parse(text, StatedCard)
        whole = parse(text, dict[str, Any])
    except InvalidInputError:
        raise UnreachableError("its card is not one of an A2A agent") from None
    content = {key: value for key, value in whole.items() if key not in APART}
    lists = {
        "defaultInputModes": stated.defaultInputModes or [],
        "defaultOutputModes": stated.defaultOutputModes or [],
        "skills": [_named(skill) for skill in stated.skills or []],
    }
    name = stated.name.strip().replace(" ", "_")
    return FoundCard(name, stated.description, _without_nulls({**content, **lists}))


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
