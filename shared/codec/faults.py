"""What is wrong with an input: every fault at once, each with the way to it."""

from typing import Any

import cattrs
from attrs import frozen

from shared.codec.depth import is_too_deep

UUID_CHARACTERS = frozenset("0123456789abcdefABCDEF-")
UUID_GROUPS = (8, 4, 4, 4, 12)

FAULTS_LIMIT = 100  # faults that are told

type Location = tuple[str | int, ...]


@frozen
class Fault:
    """One thing that is wrong; `loc` leads to it, as the contract's 422 bodies have it."""

    type: str
    loc: Location
    msg: str
    input: Any

    def __str__(self) -> str:
        """The fault for a log, without the input."""
        return ": ".join(filter(None, [".".join(map(str, self.loc)), self.msg]))


class FaultError(ValueError):
    """What a hook of the converter raises about the value that it was given."""

    def __init__(self, type_: str, message: str, value: object) -> None:
        super().__init__(message)
        self.type = type_
        self.value = value


class InvalidInputError(ValueError):
    """An input does not have the form that a class asks for; holds all its faults."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def faults_of(error: BaseException, data: object, loc: Location = ()) -> list[Fault]:
    """Flatten what cattrs raised about `data`; an error that is no fault is raised again."""
    match error:
        case FaultError():
            return [_fault(error.type, loc, str(error), error.value)]
        case KeyError():
            return [_fault("missing", (*loc, str(error.args[0])), "Field required", data)]
        case cattrs.ForbiddenExtraKeysError():
            message = "Extra inputs are not permitted"
            return [
                _fault("extra_forbidden", (*loc, key), message, _part(data, key))
                for key in sorted(error.extra_fields)[:FAULTS_LIMIT]
            ]
        case cattrs.BaseValidationError():
            nested = (_faults_below(inner, data, loc) for inner in error.exceptions)
            return [fault for faults in nested for fault in faults]
    raise error


def objection_to_uuid(text: str) -> str:
    """What is wrong with a text that is no UUID, in the words of the original's parser."""
    for place, character in enumerate(text, 1):
        if character not in UUID_CHARACTERS:
            return (
                "invalid character: expected an optional prefix of `urn:uuid:` followed by "
                f"[0-9a-fA-F-], found `{character}` at {place}"
            )
    groups = text.split("-")
    if len(groups) == 1:
        return f"invalid length: expected length 32 for simple format, found {len(text)}"
    if len(groups) != len(UUID_GROUPS):
        return f"invalid group count: expected {len(UUID_GROUPS)}, found {len(groups)}"
    sizes = enumerate(zip(UUID_GROUPS, map(len, groups), strict=True))
    number, (size, found) = next(part for part in sizes if len(set(part[1])) > 1)
    return f"invalid group length in group {number}: expected {size}, found {found}"


def _fault(type_: str, loc: Location, message: str, value: object) -> Fault:
    return Fault(type_, loc, message, None if is_too_deep(value) else value)


def _faults_below(error: Exception, data: object, loc: Location) -> list[Fault]:
    # It leads to the list that has the error: they, and all callers' frames, would keep each other.
    error.__traceback__ = None
    step = _step(error)
    if step is None or isinstance(error, KeyError):
        return faults_of(error, data, loc)
    return faults_of(error, _part(data, step), (*loc, step))


def _step(error: Exception) -> str | int | None:
    """The attribute or item that the error is about: cattrs leaves it in a note."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, cattrs.AttributeValidationNote):
            return note.name
        if isinstance(note, cattrs.IterableValidationNote) and isinstance(note.index, int | str):
            return note.index
    return None


def _part(data: object, step: str | int) -> object:
    if isinstance(data, dict):
        return data.get(step)
    if isinstance(data, list) and isinstance(step, int):
        return data[step]
    return None
