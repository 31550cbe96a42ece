"""Reading settings from the environment and a `.env` file: all faults are named at once."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs
from attrs import NOTHING, frozen
from dotenv import dotenv_values

from shared.settings.weak_secrets import is_weak

_OF_KUBERNETES = re.compile(r"_(SERVICE_HOST|SERVICE_PORT\w*|PORT|PORT_\d\w*)$")


class SettingsError(Exception):
    """The environment does not describe a working installation; the text names every fault."""


type Check = Callable[[Mapping[str, Any]], str | None]
"""What a value has against the others that are given, by field: the rest of a sentence, or None."""


def setting(
    read: Callable[[str], Any],
    *,
    default: Any = NOTHING,
    shown: bool = True,
    also: str = "",
    check: Check | None = None,
) -> Any:
    """A variable of the field's name; where that is not given, of its other name."""
    metadata = {"read": read, "also": also, "check": check}
    return attrs.field(default=default, repr=shown, metadata=metadata)


def secret(
    read: Callable[[str], Any],
    *,
    default: Any = NOTHING,
    needed: Callable[[Mapping[str, str | None]], bool] | None = None,
    own: bool = False,
    texts: Callable[[Any], Iterable[str]] | None = None,
    check: Check | None = None,
) -> Any:
    """A variable that is shown nowhere.

    `needed` says whether it must be given with these variables though it has a default; `own` that
    no other secret may be the same; `texts` what of it nobody may guess, if not all.
    """
    metadata = {
        "read": read,
        "secret": True,
        "needed": needed,
        "own": own,
        "texts": texts or _texts,
        "check": check,
    }
    return attrs.field(default=default, repr=False, metadata=metadata)


type Objection = Callable[[tuple[Any, ...], Mapping[str, Any]], str | None]
"""What is wrong with all things of a family together, and with the other values: or None."""


@frozen
class Family:
    """Any number of things of one kind, each with variables `<prefix><NAME>_<FIELD>`."""

    kind: type[attrs.AttrsInstance]
    prefix: str
    read_name: Callable[[str], str]
    objection: Objection


def family(
    kind: type[attrs.AttrsInstance],
    prefix: str,
    read_name: Callable[[str], str],
    objection: Objection,
) -> Any:
    """A tuple of such things, each of which knows its `name`."""
    return attrs.field(default=(), metadata={"family": Family(kind, prefix, read_name, objection)})


def read_settings[T: attrs.AttrsInstance](
    environment: Mapping[str, str | None], into: type[T]
) -> T:
    """Build the settings from variables; an empty one counts as not given.

    Raises SettingsError, which names all faults at once and repeats no value.
    """
    values, faults = _read_fields(environment, into)
    faults = faults or list(_check(into, values))
    if not values.get("allow_known_secrets"):
        faults.extend(f"{variable} can be guessed" for variable in _guessable(into, values))
    faults.extend(f"{variable} is another key too" for variable in _shared(into, values))
    for field in attrs.fields(into):
        if found := field.metadata.get("family"):
            values[field.name] = _read_family(environment, found, values, faults)
    if faults:
        raise SettingsError("; ".join(faults))
    return into(**values)


def _read_fields(
    environment: Mapping[str, str | None], into: type[attrs.AttrsInstance], prefix: str = ""
) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field in (field for field in attrs.fields(into) if "read" in field.metadata):
        variable = prefix + field.name.upper()
        text = environment.get(variable) or environment.get(field.metadata.get("also", ""))
        try:
            if text:
                values[field.name] = field.metadata["read"](_decoded(text))
            elif _is_needed(field, environment):
                faults.append(f"{variable} is missing")
        except ValueError as fault:
            faults.append(f"{variable} {fault}")
    return values, faults


def _read_family(
    environment: Mapping[str, str | None],
    family: Family,
    common: Mapping[str, Any],
    faults: list[str],
) -> tuple[Any, ...]:
    """All of a family; what is wrong with its variables is added to the faults."""
    given = [each for each in environment if each.startswith(family.prefix) and environment[each]]
    names, strangers = _names_in(given, family)
    found = []
    for name in names:
        prefix, before = f"{family.prefix}{name}_", len(faults)
        values, wrong = _read_fields(environment, family.kind, prefix)
        faults += wrong or [f"{prefix}{fault}" for fault in _check(family.kind, values)]
        if not common.get("allow_known_secrets"):
            guessable = _guessable(family.kind, values)
            faults += [f"{prefix}{variable} can be guessed" for variable in guessable]
        try:
            values["name"] = family.read_name(name)
        except ValueError as fault:
            faults.append(f"{prefix}… {fault}")
        if len(faults) == before:
            found.append(family.kind(**values))
    faults += [f"{each} is no setting" for each in strangers]
    if not faults and (objection := family.objection(tuple(found), common)):
        faults.append(objection)
    return tuple(found)


def _names_in(given: Iterable[str], family: Family) -> tuple[list[str], list[str]]:
    """The names that variables have, in their order, and variables that nothing reads.

    Those that Kubernetes makes of a service of such a name are nobody's mistake.
    """
    fields = "|".join(
        each.name.upper() for each in attrs.fields(family.kind) if "read" in each.metadata
    )
    pattern = re.compile(f"{family.prefix}(.*)_(?:{fields})")
    named = {variable: match[1] for variable in given if (match := pattern.fullmatch(variable))}
    names = sorted(set(named.values()))
    begun = tuple(f"{family.prefix}{name}_" for name in names)
    others = [each for each in given if each not in named and each.startswith(begun)]
    return names, [each for each in others if not _OF_KUBERNETES.search(each)]


def _is_needed(field: "attrs.Attribute[Any]", environment: Mapping[str, str | None]) -> bool:
    needed = field.metadata.get("needed")
    return field.default is NOTHING or (needed is not None and needed(environment))


def _decoded(text: str) -> str:
    """The text, if it is one: bytes of the environment that are no UTF-8 fit into nothing."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be UTF-8") from None
    return text


def _check(settings: type[attrs.AttrsInstance], values: Mapping[str, Any]) -> Iterable[str]:
    for field in attrs.fields(settings):
        check = field.metadata.get("check")
        if check and field.name in values and (fault := check(values)):
            yield f"{field.name.upper()} {fault}"


def _guessable(settings: type[attrs.AttrsInstance], values: Mapping[str, Any]) -> Iterable[str]:
    for field in attrs.fields(settings):
        if not is_secret(field) or field.name not in values:
            continue
        if any(map(is_weak, field.metadata["texts"](values[field.name]))):
            yield field.name.upper()


def _shared(settings: type[attrs.AttrsInstance], values: Mapping[str, Any]) -> Iterable[str]:
    """Those that are to be secrets of their own, and are not."""
    secrets = [field for field in attrs.fields(settings) if is_secret(field)]
    given = [values[field.name] for field in secrets if field.name in values]
    for field in secrets:
        if field.metadata["own"] and given.count(values.get(field.name)) > 1:
            yield field.name.upper()


def is_secret(field: "attrs.Attribute[Any]") -> bool:
    return "secret" in field.metadata


def _texts(secret: str | tuple[bytes, ...] | None) -> Iterable[str]:
    match secret:
        case str():
            return (secret,)
        case tuple():
            return (key.decode("latin-1") for key in secret)
    return ()


def load_settings[T: attrs.AttrsInstance](into: type[T]) -> T:
    """Read the `.env` file of the working folder and the environment, which wins."""
    return read_settings({**dotenv_values(".env"), **os.environ}, into)
