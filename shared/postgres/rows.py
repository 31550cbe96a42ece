"""What rows become: the objects that clients are told."""

from collections.abc import Sequence
from typing import Any

import attrs


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
