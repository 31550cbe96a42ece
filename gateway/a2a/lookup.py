"""What an A2A agent says about itself on its card, in either generation of the protocol."""

from operator import itemgetter
from typing import Annotated, Any

import httpx2
from attrs import frozen

from gateway.a2a.cards import card_content, card_name
from gateway.remote.causes import describe_answer
from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import Outbound
from shared.codec.converter import parse
from shared.codec.faults import InvalidInputError
from shared.codec.hooks import Rule

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
    failures = []
    async with outbound.visit() as http:
        for path in CARD_PATHS:
            answer = await http.get(url + path)
            try:
                return _read_answer(answer)
            except UnreachableError as error:
                failures.append((answer.status_code == httpx2.codes.NOT_FOUND, error))
    _, failure = min(failures, key=itemgetter(0))  # the first that tells more than "Not Found"
    raise failure


def _read_answer(answer: httpx2.Response) -> FoundCard:
    if not answer.is_success:
        raise describe_answer(answer)
    return read_card(answer.content)


def read_card(text: bytes) -> FoundCard:
    """A card from its JSON. Raises UnreachableError for what is none."""
    try:
        stated = parse(text, StatedCard)
        whole = parse(text, dict[str, Any])
    except InvalidInputError as error:
        raise UnreachableError("its card is not one of an A2A agent", str(error)) from None
    return FoundCard(card_name(stated.name), stated.description, card_content(whole))
