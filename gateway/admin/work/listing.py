"""Lists, a bounded part of each."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
from attrs import frozen
from databases.core import Connection

from gateway.web.paging import MOST_BYTES, Page, Slice
from shared.postgres.rows import build


@frozen
class Part:
    """Which things of a list."""

    limit: int
    offset: int = 0

    @property
    def slice(self) -> Slice:
        """The same for who counts bytes too."""
        return Slice(self.limit, self.offset, MOST_BYTES)


@frozen
class Listed[T: attrs.AttrsInstance]:
    """A part of a list, and where it goes on, if it does."""

    things: list[T]
    next_offset: int | None = None

    def map[U: attrs.AttrsInstance](self, make: Callable[[T], U]) -> "Listed[U]":
        """The same part of other things."""
        return Listed([*map(make, self.things)], self.next_offset)


def listed[T: attrs.AttrsInstance](page: Page[T], part: Part) -> Listed[T]:
    """A page as such a part."""
    things = page.things()
    return Listed(things, part.offset + len(things) if page.has_more else None)


async def select_listed[T: attrs.AttrsInstance](
    connection: Connection, kind: type[T], sql: str, values: Mapping[str, Any], part: Part
) -> Listed[T]:
    """The rows of a statement that has `LIMIT :limit OFFSET :offset`, as objects of the class."""
    wanted = {**values, "limit": part.limit + 1, "offset": part.offset}
    rows = await connection.fetch_all(sql, wanted)
    has_more = len(rows) > part.limit
    things = build(kind, rows[: part.limit])
    return Listed(things, part.offset + part.limit if has_more else None)
