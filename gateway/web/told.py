"""Rows that PostgreSQL writes as the JSON of a class: what is never an object costs no Python.

Byte for byte what `dump` makes of the object; `tests/gateway/web/test_told.py` compares both.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from operator import itemgetter
from types import MappingProxyType, NoneType
from typing import Annotated, Any, Literal, TypeAliasType, get_args, get_origin
from uuid import UUID

import attrs
from attrs import frozen
from msgspec import UNSET, Raw, UnsetType

from shared.codec.text import read_json, write_json

# How PostgreSQL writes a column of a type as Python does. The rest is left to Python: numbers with
# a fraction, for which the two have other rules, and objects.
_WRITTEN: Mapping[Any, str] = {
    str: "CAST(to_json(CAST({} AS text)) AS text)",
    UUID: """'"' || {} || '"'""",
    bool: "CAST({} AS text)",
    int: "CAST({} AS text)",
    datetime: r"""to_char({}, '\"YYYY-MM-DD"T"HH24:MI:SS.US\"')""",
    list[str]: "CAST(to_json({}) AS text)",
    list[UUID]: "CAST(to_json({}) AS text)",
    dict: "CAST({} AS text)",  # JSON is told as it is stored
}

NOTHING: Mapping[str, str] = MappingProxyType({})


class Json(str):
    """JSON text, which is told as it is."""

    __slots__ = ()


type Make = Callable[[Any], object]
"""A field's value, made of a row; UNSET leaves the field out."""


type Fill = Callable[..., str]
"""JSON text, made of what was left of it."""

_HOLE = "\x01"  # which JSON never has


def left(*columns: str) -> str:
    """An expression of SQL: a place in a text that is left to Python, with these columns."""
    return f"chr(1) || CAST(json_build_array({', '.join(columns)}) AS text) || chr(1)"


def written(kind: Any, without: tuple[str, ...] = (), **texts: str) -> str:
    """An expression of SQL: the JSON of a row with the fields of a class, but for some.

    Those that are given have expressions of their own, for their JSON; with those that may be left
    out the comma and the name are in it.
    """
    fields = [each for each in attrs.fields(kind) if each.name not in without]
    parts = [_written(each, _key(each, place), texts) for place, each in enumerate(fields)]
    return " || ".join([*parts, "'}'"])


class Told:
    """Makes JSON of the rows of a statement that has the fields of a class as its columns.

    Those that are `made` need not be columns, and may need others; no times are. A field that may
    be left out is where it is null, but for those to `keep`. Those of `texts` are expressions of
    SQL, as above; what is `left` in them is filled.
    """

    def __init__(
        self,
        kind: Any,
        needs: tuple[str, ...] = (),
        keep: tuple[str, ...] = (),
        texts: Mapping[str, str] = NOTHING,
        fill: Fill | None = None,
        **made: Make,
    ) -> None:
        form = _form(kind, needs, keep, tuple(texts.items()), frozenset(made))
        self.columns = form.columns
        """What is to be selected of the statement, before all else."""
        self._made = [(key, made.get(name) or itemgetter(name)) for key, name in form.holes]
        self._fill = fill

    def __call__(self, row: Any) -> Any:
        """One thing as JSON, in place of an object."""
        return Raw(self._text(row))

    def texts(self, rows: Iterable[Any]) -> Iterator[str]:
        """The JSON of each."""
        return map(self._text if self._made or self._fill else itemgetter(0), rows)

    def _text(self, row: Any) -> str:
        text = [row[0]]
        for place, (key, make) in enumerate(self._made, 1):
            value = make(row)
            if value is not UNSET:
                text += key, value if type(value) is Json else write_json(value).decode()
            text.append(row[place])
        whole = "".join(text) if self._made else row[0]
        return _filled(whole, self._fill) if self._fill and _HOLE in whole else whole


def _filled(text: str, fill: Fill) -> str:
    parts = text.split(_HOLE)
    parts[1::2] = [fill(*read_json(each)) for each in parts[1::2]]
    return "".join(parts)


@frozen
class _Form:
    """What to select for a class, and the keys and names of what comes between these texts."""

    columns: str
    holes: list[tuple[str, str]]


@cache  # as many as there are lists
def _form(
    kind: Any,
    needs: tuple[str, ...],
    keep: tuple[str, ...],
    given: tuple[tuple[str, str], ...],
    made: frozenset[str],
) -> _Form:
    texts, holes, sent = [list[str]()], list[tuple[str, str]](), [*needs]
    for place, field in enumerate(attrs.fields(kind)):
        key = _key(field, place)
        if field.name not in made and (field.name in dict(given) or _type(field) in _WRITTEN):
            texts[-1].append(_written(field, key, dict(given), is_kept=field.name in keep))
            continue
        if field.name not in made:
            sent.append(field.name)
        holes.append((key, field.name))
        texts.append([])
    texts[-1].append("'}'")
    columns = [" || ".join(each) or "''" for each in texts]
    return _Form(", ".join([*columns, *(f'"{name}"' for name in sent)]), holes)


def _key(field: Any, place: int) -> str:
    return f'{"," if place else "{"}"{field.name}":'


def _written(field: Any, key: str, texts: Mapping[str, str], *, is_kept: bool = False) -> str:
    """The field with its key; nothing where it is left out."""
    is_left_out = UnsetType in _types(field.type) and not is_kept
    if (text := texts.get(field.name)) is not None:
        return text if is_left_out else f"'{key}' || {text}"
    text = _WRITTEN[_type(field)].format(f'"{field.name}"')
    # Null also where the class does not know it: a row of the original's may have it.
    return (
        f"coalesce('{key}' || {text}, '')"
        if is_left_out
        else f"'{key}' || coalesce({text}, 'null')"
    )


def _type(field: Any) -> Any:
    [type_] = {*_types(field.type)} - {NoneType, UnsetType}
    return type_


def _types(kind: Any) -> Iterator[Any]:
    """The types of a field's values, those of texts and JSON objects in one form each."""
    if isinstance(kind, TypeAliasType):
        yield from _types(kind.__value__)
        return
    origin: Any = get_origin(kind)
    if origin is Annotated:
        yield from _types(get_args(kind)[0])
    elif origin is Literal:
        yield from map(type, get_args(kind))
    elif origin is list:
        [item] = {*_types(get_args(kind)[0])}
        yield dict if item is dict else list[str] if item is str else kind
    elif origin is dict:
        yield dict
    elif origin is None:
        yield kind
    else:
        for each in get_args(kind):
            yield from _types(each)
