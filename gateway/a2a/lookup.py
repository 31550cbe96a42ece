"""What an A2A agent says about itself on its card, in either generation of the protocol."""

from typing import Annotated, Any

import httpx2
from attrs import frozen

from gateway.remote.outbound import Outbound, UnreachableError
from shared.codec.converter import parse
from shared.codec.faults import InvalidInputError
from shared.codec.hooks import Rule
from shared.domain.cards import card_content, card_name

CARD_PATHS = ("/.well-known/agent-card.json", "/.well-known/agent.json")


@frozen
class StatedCard:
    """What a card must have, and what it must not have otherwise."""

    name: Annotated[str, Rule(lambda name: None if name.strip() else "it has no name")]
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
    return FoundCard(card_name(stated.name), stated.description, card_content(whole))
