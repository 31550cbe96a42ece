"""Makes the things of an archive again, kind by kind: all of a kind that can be, or none."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from zipfile import ZipFile, ZipInfo

import asyncpg
from attrs import define, frozen
from databases.core import Connection

from gateway.audit.acting import acting
from gateway.leaving.bounds import BAD, find_entry, read_lines
from gateway.leaving.lines import Manifest
from gateway.leaving.reading import FORMAT, MANIFEST, VERSION
from gateway.leaving.report import TakenKind
from gateway.leaving.taking import Import, Row, Taking
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.quotas import within
from shared.codec.converter import structure
from shared.codec.faults import InvalidInputError

NOT_OF_FORM = "it has not the form of its kind"
NOT_STORED = "The database does not take it: {}"

type ImportCall = Call[Nothing, Nothing]


@define
class Tally:
    """What has come of a kind so far."""

    kind: str
    found: int
    taken: int
    left_out: Counter[str]

    @classmethod
    def of(cls, kind: str) -> "Tally":
        """Nothing yet."""
        return cls(kind, 0, 0, Counter())

    def result(self, refused: str | None = None) -> TakenKind:
        """What is told of it."""
        if refused is not None:
            return TakenKind(self.kind, self.found, 0, {}, refused)
        return TakenKind(self.kind, self.found, self.taken, dict(self.left_out))


@frozen
class Importing:
    """An import that goes on."""

    call: ImportCall
    archive: ZipFile
    of: Import
    keep: Callable[[], Awaitable[None]]

    async def check_manifest(self) -> None:
        """Raise BadRequestError for an archive that is not ours, or of a later form."""
        entry = find_entry(self.archive, MANIFEST)
        if entry is None:
            raise BadRequestError(BAD.format(f"it has no {MANIFEST}"))
        [[line]] = [lines async for lines in self.lines(entry)][:1] or [[None]]
        try:
            manifest = structure(line, Manifest)
        except InvalidInputError:
            raise BadRequestError(BAD.format(f"{MANIFEST} is none")) from None
        if manifest.format != FORMAT or manifest.version != VERSION:
            raise BadRequestError(BAD.format(f"its form is {manifest.format} {manifest.version}"))

    async def take(self, taking: Taking[Any]) -> TakenKind | None:
        """Make the things of a kind again; None: there is no such entry."""
        entry, tally = find_entry(self.archive, taking.kind.entry), Tally.of(taking.kind.name)
        if entry is None:
            return None
        try:
            async with self.call.turn("create_import"), self._adding(taking) as connection:
                async for lines in self.lines(entry):
                    rows = rows_of(self.of, taking, lines, tally)
                    values = {"rows": rows, "owner": self.of.owner}
                    added = int(await connection.fetch_val(taking.insert, values))
                    tally.taken += added
                    if len(rows) > added:
                        tally.left_out[taking.not_added] += len(rows) - added
        except BadRequestError as error:
            return tally.result(error.detail)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            return tally.result(NOT_STORED.format(type(error).__name__))
        return tally.result()

    @asynccontextmanager
    async def _adding(self, taking: Taking[Any]) -> AsyncIterator[Connection]:
        """A transaction, within what the user may have."""
        async with acting(self.call) as connection:
            if taking.quota is None:
                yield connection
                return
            async with within(taking.quota, self.call, connection, adds_many=True):
                yield connection

    async def lines(self, entry: ZipInfo) -> AsyncIterator[list[object]]:
        """Read in a thread, some at a time. Raises BadRequestError."""
        reading = read_lines(self.archive, entry)
        while (lines := await asyncio.to_thread(_next, reading)) is not None:
            await self.keep()
            yield lines


def rows_of(of: Import, taking: Taking[Any], lines: list[object], tally: Tally) -> list[Row]:
    """The rows of lines that are in order; the others are told of."""
    rows: list[Row] = []
    for line in lines:
        tally.found += 1
        try:
            row = taking.make(of, structure(line, taking.line))
        except InvalidInputError:
            tally.left_out[NOT_OF_FORM] += 1
            continue
        if isinstance(row, str):
            tally.left_out[row] += 1
        else:
            rows.append(row)
    return rows


def _next(reading: Iterator[list[object]]) -> list[object] | None:
    return next(reading, None)
