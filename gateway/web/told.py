"""Rows that PostgreSQL writes as the JSON of a class: what is never an object costs no Python.

Byte for byte what `dump` makes of the object; `tests/gateway/web/test_told.py` compares both.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from operator import itemgetter
from types import NoneType
from typing import Annotated, Any, Literal, TypeAliasType, get_args, get_origin
from uuid import UUID

import attrs
from attrs import frozen
from msgspec import UNSET, Raw, UnsetType

from shared.codec.text import write_json

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

type Make = Callable[[Any], object]
"""A field's value, made of a row; UNSET leaves the field out."""


class Told:
    """Makes JSON of the rows of a statement that has the fields of a class as its columns.

    Those that are `made` need not be columns, and may need others; no times are. A field that may
    be left out is where it is null, but for those to `keep`. Of those that are `stored` as JSON the
    text is told as it is, whatever their class.
    """

    def __init__(
        self,
        kind: Any,
        needs: tuple[str, ...] = (),
        keep: tuple[str, ...] = (),
        stored: tuple[str, ...] = (),
        **made: Make,
    ) -> None:
        form = _form(kind, needs, keep, stored, frozenset(made))
        self.columns = form.columns
        """What is to be selected of the statement, before all else."""
        self._made = [(key, made.get(name) or itemgetter(name)) for key, name in form.holes]

    def __call__(self, row: Any) -> Any:
        """One thing as JSON, in place of an object."""
        return Raw(self._text(row))

    def texts(self, rows: Iterable[Any]) -> Iterator[str]:
        """The JSON of each."""
        return map(self._text if self._made else itemgetter(0), rows)

    def _text(self, row: Any) -> str:
        text = [row[0]]
        for place, (key, make) in enumerate(self._made, 1):
            value = make(row)
            if value is not UNSET:
                text += key, write_json(value).decode()
            text.append(row[place])
        return "".join(text)


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
    stored: tuple[str, ...],
    made: frozenset[str],
) -> _Form:
    texts, holes, sent = [list[str]()], list[tuple[str, str]](), [*needs]
    for field in attrs.fields(kind):
        key, types = f'{"," if holes or texts[0] else "{"}"{field.name}":', {*_types(field.type)}
        [type_] = {dict} if field.name in stored else types - {NoneType, UnsetType}
        if field.name not in made and type_ in _WRITTEN:
            written = _WRITTEN[type_].format(f'"{field.name}"')
            # Null also where the class does not know it: a row of the original's may have it.
            is_left_out = UnsetType in types and field.name not in keep
            texts[-1].append(
                f"coalesce('{key}' || {written}, '')"
                if is_left_out
                else f"'{key}' || coalesce({written}, 'null')"
            )
            continue
        if field.name not in made:
            sent.append(field.name)
        holes.append((key, field.name))
        texts.append([])
    texts[-1].append("'}'")
    columns = [" || ".join(each) or "''" for each in texts]
    return _Form(", ".join([*columns, *(f'"{name}"' for name in sent)]), holes)


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
