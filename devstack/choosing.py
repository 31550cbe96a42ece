"""Which agent fits a message, and with which arguments: by words, without a language model."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen

STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a about agent an and are at be by can could current do does for from give how i in is it "
        "its me my name now of on or please right tell text that the this to what when where which "
        "who will with would you your",
    )
)
PREPOSITIONS = frozenset({"in", "of", "for", "at"})
LINKS = frozenset({"de", "da", "do", "del", "of", "the", "la", "le", "am", "es"})  # Rio de Janeiro
EMPTY_VALUES: dict[str, Any] = {
    "integer": 0,
    "number": 0,
    "boolean": False,
    "array": [],
    "object": {},
}
WHOLE = frozenset({"task", "text"})  # parameters of tools and A2A agents that take all of a message
NAME_WEIGHT, DESCRIPTION_WEIGHT, SCHEMA_WEIGHT = 3, 2, 1


@frozen
class Candidate:
    """Something the master agent may call; `flow` holds the ids of a flow's members in order."""

    id: str
    name: str
    """As a language model would know it."""
    description: str
    parameters: dict[str, Any] = field(repr=False)
    flow: tuple[str, ...] = ()
    kind: str = "genai"
    url: str = ""
    tool_name: str = ""
    """What a tool is called at its server."""
    interfaces: tuple[dict[str, str], ...] = ()
    """Where an A2A agent is called."""
    headers: dict[str, str] = field(factory=dict, repr=False)
    """What its server wants to see, and nobody else is to."""


def candidate_from(entry: Mapping[str, Any]) -> Candidate:
    """Read an agent as either contract describes it."""
    schema = entry.get("agent_schema") or {}
    function = schema.get("function") or schema
    name = entry.get("agent_name") or entry.get("name") or ""
    kind = entry.get("type") or "genai"
    return Candidate(
        id=entry.get("agent_id") or entry["id"],
        name=entry.get("function_name") or name,
        description=entry.get("agent_description") or function.get("description") or "",
        parameters=function.get("parameters") or ({} if "function" in schema else schema),
        flow=tuple(entry.get("flow") or ()),
        kind=kind,
        url=entry.get("url") or "",
        tool_name=name.rpartition("_")[0] if kind == "mcp" else "",
        interfaces=tuple(entry.get("interfaces") or ()),
        headers=entry.get("headers") or {},
    )


def choose(message: str, candidates: Iterable[Candidate]) -> Candidate | None:
    """The candidate whose words the message shares most, the first of equals; None if none."""
    words = _words(message)
    scored = [(_score(words, candidate), candidate) for candidate in candidates]
    best, chosen = max(scored, key=lambda pair: pair[0], default=(0, None))
    return chosen if best else None


def _score(words: set[str], candidate: Candidate) -> int:
    properties = candidate.parameters.get("properties") or {}
    schema = " ".join(f"{name} {rule.get('description', '')}" for name, rule in properties.items())
    return (
        NAME_WEIGHT * len(words & _words(candidate.name))
        + DESCRIPTION_WEIGHT * len(words & _words(candidate.description))
        + SCHEMA_WEIGHT * len(words & _words(schema))
    )


def _words(text: str) -> set[str]:
    plain = unicodedata.normalize("NFKD", text).casefold()
    words = re.findall(r"[^\W_]+", "".join(c for c in plain if not unicodedata.combining(c)))
    return {_singular(word) for word in words if word not in STOP_WORDS}


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and len(word) > len("gas") else word


def arguments_for(callee: Candidate, message: str) -> dict[str, Any]:
    """The arguments that the message gives for what is called."""
    whole = frozenset[str]() if callee.kind == "genai" else WHOLE
    return fill_arguments(message, callee.parameters, whole)


def fill_arguments(
    message: str, parameters: Mapping[str, Any], whole: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The arguments that the message gives for a JSON schema, each required one among them.

    Parameters with one of the names in `whole` take all of it.
    """
    properties: dict[str, dict[str, Any]] = parameters.get("properties") or {}
    required = set(parameters.get("required") or ())
    if not any(_type_of(properties.get(name, {})) == "string" for name in required):
        required |= set(_first_string(properties))  # somewhere the message has to go
    numbers = iter(re.findall(r"-?\d+(?:\.\d+)?", message))
    found = {
        name: message if name in whole else _value(message, rule, numbers)
        for name, rule in properties.items()
    }
    missing = {name: _empty(properties.get(name, {}), message) for name in required}
    given = {
        name: value
        for name, value in found.items()
        if value is not None and (name in required or _type_of(properties[name]) != "string")
    }
    return missing | given


def _first_string(properties: Mapping[str, dict[str, Any]]) -> list[str]:
    return [name for name, rule in properties.items() if _type_of(rule) == "string"][:1]


def _type_of(rule: Mapping[str, Any]) -> str:
    choices = [rule, *(rule.get("anyOf") or ())]
    types = [choice.get("type") for choice in choices if isinstance(choice.get("type"), str)]
    return next((kind for kind in types if isinstance(kind, str) and kind != "null"), "string")


def _value(message: str, rule: Mapping[str, Any], numbers: Any) -> Any:
    """What the message says for one property, or None."""
    if options := rule.get("enum"):
        return next((o for o in options if str(o).casefold() in message.casefold()), None)
    match _type_of(rule):
        case "string":
            return phrase(message) or message
        case "integer":
            return next((int(float(number)) for number in numbers), None)
        case "number":
            return next((float(number) for number in numbers), None)
    return None


def _empty(rule: Mapping[str, Any], message: str) -> Any:
    """A value of the right type for a property that the message says nothing about."""
    if "default" in rule:
        return rule["default"]
    if options := rule.get("enum"):
        return options[0]
    values: dict[str, Any] = {
        "integer": 0,
        "number": 0,
        "boolean": False,
        "array": [],
        "object": {},
    }
    return values.get(_type_of(rule), message)


def phrase(message: str) -> str | None:
    """The name after a preposition: "time in New York now" gives "New York".

    Without a capital letter after any, all words up to the next stop word or mark.
    """
    words = re.findall(r"[\w'’.-]*[\w'’]|[^\w\s]", message)
    starts = [i + 1 for i, word in enumerate(words) if word.casefold() in PREPOSITIONS]
    names = (_capitalised(words[start:]) for start in starts)
    rest = (_until_stop(words[start:]) for start in reversed(starts))
    return next(filter(None, names), None) or next(filter(None, rest), None)


def _capitalised(words: list[str]) -> str:
    taken: list[str] = []
    for word, following in zip(words, [*words[1:], ""], strict=True):
        links = bool(taken) and word in LINKS and following[:1].isupper()
        if not (word[:1].isupper() or links):
            break
        taken.append(word)
    return " ".join(taken)


def _until_stop(words: list[str]) -> str:
    if words and words[0].casefold() == "the":
        words = words[1:]
    ends = (i for i, word in enumerate(words) if word in STOP_WORDS or not word[0].isalnum())
    return " ".join(words[: next(ends, len(words))])
