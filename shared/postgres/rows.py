"""What rows become: the objects that clients are told."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs
from msgspec import Raw


def build[T: attrs.AttrsInstance](kind: type[T], rows: Sequence[Any]) -> list[T]:
    """An object of each row; its columns are the fields of the class, in their order.

    The class is made with `slots=False`: a row becomes its object's dict at once, in a quarter of
    what the constructor takes, that of a frozen class above all. Raises TypeError for other
    columns; converters and validators don't run.
    """
    if rows and list(rows[0].keys()) != (fields := list(attrs.fields_dict(kind))):
        raise TypeError(f"{kind.__name__} has the fields {fields}")
    built = [object.__new__(kind) for _ in rows]
    for one, row in zip(built, rows, strict=True):
        one.__dict__.update(row.items())
    return built


def builder[T: attrs.AttrsInstance](kind: type[T], *texts: str) -> Callable[[Any], T]:
    """The same for one row after the other, whose columns may go on after the fields.

    Fields with a default are no columns, and have that. The named ones are JSON as text, and are
    told as they are: as objects they would take many times as much memory.
    """
    stated = {each.name: each.default for each in attrs.fields(kind)}
    defaults = {name: one for name, one in stated.items() if one is not attrs.NOTHING}
    fields = [name for name in stated if name not in defaults]
    is_checked = False

    def make(row: Any) -> T:
        nonlocal is_checked
        if not is_checked and list(row.keys())[: len(fields)] != fields:
            raise TypeError(f"{kind.__name__} has the fields {fields}")
        is_checked = True
        one = object.__new__(kind)
        one.__dict__.update(zip(fields, row.values(), strict=False), **defaults)
        for name in texts:
            one.__dict__[name] = as_json(one.__dict__[name])
        return one

    return make


def as_json(text: str | None) -> Any:
    """JSON that is told as it is stored."""
    return None if text is None else Raw(text)
