"""What a tool is called with, held against what its agent says that it takes.

Only what can be told at a glance: an agent's schema is its user's, who could have it take for ever.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

SHOWN_LIMIT = 100  # characters of what there is not, or could be chosen


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return _is_number(value) and (isinstance(value, int) or value.is_integer())


TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "number": _is_number,
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}


def objection_to(arguments: Mapping[str, Any], parameters: Mapping[str, Any]) -> str | None:
    """What is wrong with the arguments, in a sentence; None: nothing that is seen at once."""
    return next(_objections(arguments, parameters), None)


def _objections(arguments: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[str]:
    properties: Mapping[str, Any] = parameters.get("properties") or {}
    required = parameters.get("required")
    for name in required if isinstance(required, list) else ():
        if isinstance(name, str) and name not in arguments:
            yield f"'{name}' is missing"
    for name, value in arguments.items():
        if name in properties:
            yield from _objections_to_value(name, value, properties[name])
        elif parameters.get("additionalProperties") is False:
            yield f"There is no '{name[:SHOWN_LIMIT]}' to be given"


def _objections_to_value(name: str, value: object, rule: object) -> Iterator[str]:
    if not isinstance(rule, dict):
        return
    stated = rule.get("type")
    types = [stated] if isinstance(stated, str) else stated
    if isinstance(types, list) and not _is_any(value, types):
        yield f"'{name}' must be of the type {' or '.join(map(str, types))}"
    choices = rule.get("enum")
    if isinstance(choices, list) and value not in choices:
        yield f"'{name}' must be one of {', '.join(map(str, choices))[:SHOWN_LIMIT]}"


def _is_any(value: object, types: list[object]) -> bool:
    """Whether it is of one of the types; one that nobody knows could be its own."""
    return any(str(type_) not in TYPES or TYPES[str(type_)](value) for type_ in types)
