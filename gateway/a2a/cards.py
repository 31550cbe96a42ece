"""The cards of A2A agents, in the one form that is stored.

What is no good of a card is left out of it, and named: the agent can be called all the same.
"""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from gateway.remote.errors import UnreachableError
from gateway.remote.left_out import LeftOut
from gateway.remote.mending import mend
from gateway.remote.texts import storable
from shared.codec.converter import load
from shared.codec.depth import is_too_deep
from shared.codec.faults import InvalidInputError

MOST_SKILLS = 1000

NO_CARD = "its card is not one of an A2A agent"
NO_NAME = "there is none: its host stands for it"
APART = {"name", "description", "url"}  # stored beside the card's content
LISTS = ("defaultInputModes", "defaultOutputModes", "skills")  # which are always there


@frozen
class Part:
    """What a part of a card has to be."""

    is_one: Callable[[object], bool]
    otherwise: str
    """Why it is left out where it is none."""


def _is_text(value: object) -> bool:
    """Numbers are shown as well."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


TEXT_ALONE = Part(lambda value: isinstance(value, str), "it is no text")
TEXT = Part(_is_text, "it is no text")
TEXTS = Part(_is_texts, "it is no list of texts")
LIST = Part(lambda value: isinstance(value, list), "it is no list")
OBJECT = Part(lambda value: isinstance(value, dict), "it is no object")
FLAG = Part(lambda value: isinstance(value, bool), "it is neither true nor false")

type Parts = Mapping[str, Part]

CARD: Parts = {
    "name": TEXT_ALONE,
    "description": TEXT_ALONE,
    "url": TEXT_ALONE,
    "version": TEXT,
    "protocolVersion": TEXT,
    "preferredTransport": TEXT,
    "documentationUrl": TEXT,
    "iconUrl": TEXT,
    "provider": OBJECT,
    "capabilities": OBJECT,
    "securitySchemes": OBJECT,
    "security": LIST,
    "securityRequirements": LIST,
    "signatures": LIST,
    "additionalInterfaces": LIST,
    "supportedInterfaces": LIST,
    "supportsAuthenticatedExtendedCard": FLAG,
    "skills": LIST,
    "defaultInputModes": TEXTS,
    "defaultOutputModes": TEXTS,
}
SKILL: Parts = {
    "id": TEXT,
    "name": TEXT,
    "description": TEXT,
    "tags": TEXTS,
    "examples": TEXTS,
    "inputModes": TEXTS,
    "outputModes": TEXTS,
}
# A card says two of these at least; other JSON that is found where a card may be seldom does.
SIGNS = ("name", "description", "url", "supportedInterfaces", "skills", "capabilities")
SIGNS_NEEDED = 2


@frozen
class Card:
    """What a card says, as far as it is good."""

    name: str
    """Empty: it has none that is good."""
    description: str
    content: dict[str, Any]
    url: str = ""
    left_out: list[LeftOut] = field(factory=list)
    spoilt_skills: set[object] = field(factory=set)
    """The ids of those of whom something is left out."""


def read_card(text: bytes) -> Card:
    """A card from its JSON. Raises UnreachableError for what is none."""
    try:
        whole = load(mend(text))
    except InvalidInputError as error:
        raise UnreachableError(NO_CARD, str(error)) from None
    if not isinstance(whole, dict):
        raise UnreachableError(NO_CARD, "it is no JSON object")
    reading = Reading()
    card = reading.read(storable(whole), CARD)
    if sum(_says(card.get(name)) for name in SIGNS) < SIGNS_NEEDED:
        raise UnreachableError(NO_CARD, "it says too little of an agent")
    name = card_name(card.get("name", ""))
    if not name:
        reading.left_out.append(LeftOut("name", NO_NAME))
    skills = reading.read_skills(card.get("skills", []))
    content = {part: one for part, one in card.items() if part not in APART}
    content |= {part: content.get(part, []) for part in LISTS} | {"skills": skills}
    return Card(
        name,
        card.get("description", ""),
        content,
        card.get("url", ""),
        reading.left_out,
        reading.spoilt_skills,
    )


def card_name(stated: str) -> str:
    """The name under which the master agent knows the agent of a card."""
    return stated.strip().replace(" ", "_")


class Reading:
    """The parts of one card, the good ones; what is left out of them is noted."""

    def __init__(self) -> None:
        self.left_out: list[LeftOut] = []
        self.spoilt_skills: set[object] = set()

    def read(self, value: dict[str, Any], parts: Parts, where: str = "") -> dict[str, Any]:
        """The good ones of these parts, and all others; nothing null is in them."""
        kept = {}
        for name, one in value.items():
            if one is None:
                continue
            if reason := _find_fault(one, parts.get(name)):
                self.left_out.append(LeftOut(where + name, reason))
            else:
                kept[name] = _without_nulls(one)
        return kept

    def read_skills(self, skills: list[Any]) -> list[dict[str, Any]]:
        """The skills, with names in one word."""
        kept = []
        for place, skill in enumerate(skills[:MOST_SKILLS]):
            known, where = len(self.left_out), f"skills[{place}]"
            if not isinstance(skill, dict):
                self.left_out.append(LeftOut(where, OBJECT.otherwise))
                continue
            one = self.read(skill, SKILL, f"{where}.")
            kept.append(_named(one))
            if len(self.left_out) > known and "id" in one:
                self.spoilt_skills.add(one["id"])
        if len(skills) > MOST_SKILLS:
            reason = f"there are more than {MOST_SKILLS:,}"
            self.left_out.append(LeftOut(f"skills[{MOST_SKILLS}]", reason))
        return kept


def _says(value: object) -> bool:
    return bool(value.strip() if isinstance(value, str) else value)


def _find_fault(value: object, part: Part | None) -> str | None:
    """Why it can't be kept as this part of a card."""
    if is_too_deep(value):
        return "it is nested too deeply"
    return None if part is None or part.is_one(value) else part.otherwise


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
