"""How lists are cut into pages: by number, and by bytes."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import batched
from typing import Annotated, Any

from attrs import define, frozen
from databases.core import Connection
from msgspec import Meta

from gateway.web.told import Told
from shared.codec.converter import dump
from shared.codec.sizes import in_units

MOST = 1000
MOST_BYTES = 8 * 1024 * 1024  # of an answer; a single thing may have more
SMALL_BYTES = 256 * 1024  # of what is read at once; more waits until there is room for it
TURN_BYTES = 64 * 1024  # written in a turn of the loop
AT_ONCE = 100  # things that are written by one call

Limit = Annotated[
    int,
    Meta(
        ge=0,
        description=f"How many; more than {MOST} are cut to {MOST}, and all to "
        f"{in_units(MOST_BYTES)}: `Link` says where it goes on.",
    ),
]
Offset = Annotated[int, Meta(ge=0, description="How many to leave out first.")]
Shared = Annotated[
    bool,
    Meta(
        description="Whether to list what other users share with the caller through groups, in "
        "place of his own. Each then has `shared` and the name of its `owner`."
    ),
]


def cut(limit: int) -> int:
    """The limit that is used for the one that was asked for."""
    return min(limit, MOST)


@frozen
class Slice:
    """Which things of a list to read: so many, and not more bytes, but always the first."""

    limit: int
    offset: int
    most_bytes: int = SMALL_BYTES
    is_cut: bool = True
    """Whether of a list that has more bytes as much is read as may be, or only the first."""


@define
class Page[T]:
    """A part of a list. Each thing is made of its row as it is told, and is not kept."""

    rows: list[Any]
    make: Callable[[Any], T]
    size: int = 0
    """The bytes of all that was asked for, read or not."""
    has_more: bool = False
    """Whether there are things behind the last row."""
    uncounted: int = 0
    """Things at the beginning that the offset does not count."""
    make_uncounted: Callable[[Any], T] | None = None
    """What makes these, where `make` does not."""
    around: Callable[[int], object] | None = None
    """What the list is the last field of, empty there, when so many things are told."""
    following: Callable[[int], str | None] | None = None
    """The address of what follows when so many things are told; by default by `offset`."""

    @property
    def is_large(self) -> bool:
        """Whether to write it takes more than a turn of the loop."""
        return self.size > SMALL_BYTES

    async def write(self) -> tuple[list[bytes], int]:
        """The JSON text, in pieces, and how many things it tells; gives way meanwhile.

        It ends where it would have more than MOST_BYTES.
        """
        rows, told, size, pieces = self.rows, 0, 0, [b""]
        if not self.is_large:
            begin, end = self._ends(len(rows))
            return [begin, self._text(rows, 0), end], len(rows)
        at_once = max(1, TURN_BYTES * len(rows) // self.size)
        rows.reverse()
        while rows:
            part = rows[: -at_once - 1 : -1]
            text = self._text(part, told)
            size += len(text) + 1
            if size > MOST_BYTES and told + len(part) > 1:
                if at_once > 1:  # one of them after the other
                    at_once, size = 1, size - len(text) - 1
                    continue
                self.has_more = True
                break
            del rows[-len(part) :]
            pieces += [b",", text] if told else [text]
            told += len(part)
            await asyncio.sleep(0)
        pieces[0], end = self._ends(told)
        return [*pieces, end], told

    def _text(self, rows: list[Any], told: int) -> bytes:
        """The JSON of rows after so many that are told."""
        if self.make_uncounted is None or told >= self.uncounted:
            return _text(rows, self.make)
        first = self.uncounted - told
        texts = _text(rows[:first], self.make_uncounted), _text(rows[first:], self.make)
        return b",".join(filter(None, texts))

    def things(self) -> list[T]:
        """All of them at once."""
        return [self.make(row) for row in self.rows]

    def put_before(self, things: Sequence[Any], make: Callable[[Any], T], size: int) -> None:
        """Tell these first, of so many bytes; they are not counted by the offset."""
        self.rows, self.make_uncounted = [*things, *self.rows], make
        self.uncounted = len(things)
        self.size += size

    def _ends(self, told: int) -> tuple[bytes, bytes]:
        if self.around is None:
            return b"[", b"]"
        around = dump(self.around(told))
        return around.removesuffix(b"]}"), b"]}"


def _text(rows: list[Any], make: Callable[[Any], Any]) -> bytes:
    """The JSON of rows, which is never an object where PostgreSQL has written it."""
    if isinstance(make, Told):
        return ",".join(make.texts(rows)).encode()
    # Of many at once one odd time, or their size, would have all take the slower way.
    parts = (dump([make(row) for row in part])[1:-1] for part in batched(rows, AT_ONCE))
    return b",".join(parts)


async def select_page[T](
    connection: Connection,
    statement: str,
    values: Mapping[str, Any],
    part: Slice,
    make: Callable[[Any], T],
    joined: str = "",
) -> Page[T]:
    """The rows of a statement that has `LIMIT :limit OFFSET :offset`.

    With what is `joined` to those that are left, as `told`, for what takes long or much memory.

    Its last column is `bytes`, about as many as the row's JSON has: PostgreSQL adds them up and
    sends no row that is too much. What it need not unpack for that it does not: `octet_length` of
    a text looks at its header.
    """
    more = {
        "limit": part.limit + 1,
        "offset": part.offset,
        "most_bytes": part.most_bytes,
        "is_cut": part.is_cut,
    }
    columns = make.columns if isinstance(make, Told) else ""
    found = _cut(statement, columns or "told.*", joined)
    rows = await connection.fetch_all(found, {**values, **more})
    if not rows:
        return Page([], make)
    return Page(rows, make, rows[0]["all_bytes"], rows[0]["found"] > len(rows))


async def select_one[T](
    connection: Connection,
    statement: str,
    values: Mapping[str, Any],
    make: Callable[[Any], T],
    joined: str = "",
) -> T | None:
    """The first row of such a statement as a list tells it, whatever its size."""
    page = await select_page(connection, statement, values, Slice(1, 0), make, joined)
    return next(iter(page.things()), None)


@cache
def _cut(statement: str, columns: str, joined: str) -> str:
    """The statement, cut by bytes too. Rows stay in the statement's order.

    Which of them are left takes looking at each only where all are too much.
    """
    place, order = (", row_number() OVER () AS place", "ORDER BY place") if joined else ("", "")
    return f"""
        WITH page AS MATERIALIZED ({statement}), whole AS MATERIALIZED (
            SELECT count(*) AS found, CAST(sum(bytes) AS bigint) AS all_bytes FROM page
        ), told AS (
            SELECT page.*, found, all_bytes{place}
            FROM whole CROSS JOIN LATERAL (
                SELECT * FROM page
                LIMIT least(CAST(:limit AS bigint) - 1, CASE
                    WHEN all_bytes <= :most_bytes THEN found
                    WHEN NOT :is_cut THEN 1
                    ELSE greatest(1, (
                        SELECT count(*) FROM (
                            SELECT sum(bytes) OVER (ROWS UNBOUNDED PRECEDING) AS so_far FROM page
                        ) AS added WHERE so_far <= :most_bytes
                    ))
                END)
            ) AS page
        )
        SELECT {columns}, found, all_bytes FROM told {joined} {order}
    """  # noqa: S608 (statements of ours)
