"""Lists, a bounded part of each."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
from attrs import frozen
from databases.core import Connection

from shared.postgres.rows import build


@frozen
class Part:
    """Which things of a list."""

    limit: int
    offset: int = 0


@frozen
class Listed[T: attrs.AttrsInstance]:
    """A part of a list, and where it goes on, if it does."""

    things: list[T]
    next_offset: int | None = None

    def map[U: attrs.AttrsInstance](self, make: Callable[[T], U]) -> "Listed[U]":
        """The same part of other things."""
        return Listed([*map(make, self.things)], self.next_offset)


async def select_listed[T: attrs.AttrsInstance](
    connection: Connection, kind: type[T], sql: str, values: Mapping[str, Any], part: Part
) -> Listed[T]:
    """The rows of a statement that has `LIMIT :limit OFFSET :offset`, as objects of the class."""
    wanted = {**values, "limit": part.limit + 1, "offset": part.offset}
    rows = await connection.fetch_all(sql, wanted)
    has_more = len(rows) > part.limit
    things = build(kind, rows[: part.limit])
    return Listed(things, part.offset + part.limit if has_more else None)
