"""Files of an archive: their bytes come into the storage first, then all of them become files."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from attrs import define, field

from gateway.audit.acting import acting
from gateway.files.quota import check_quota
from gateway.files.upload import MIMETYPE, UNKNOWN_TYPE, make_internal_name
from gateway.leaving import kinds, statements
from gateway.leaving.bounds import BAD, DAMAGED, find_entry
from gateway.leaving.importing import Importing, Tally, rows_of
from gateway.leaving.lines import FileLine
from gateway.leaving.report import TakenKind
from gateway.leaving.taking import Import, Row, Taking
from gateway.web.errors import BadRequestError, TooLargeError

READ_BYTES = 256 * 1024
NO_BYTES = "its bytes are not in the archive"
TOO_LARGE = "it is larger than a file may be here"
BATCH = 200


def _file(of: Import, line: FileLine) -> Row:
    id_ = of.id(line.id)
    return {
        "id": id_,
        "entry": f"files/{line.id}",
        "session_id": of.maybe(line.session_id),
        "request_id": of.maybe(line.request_id),
        "original_name": line.original_name,
        "internal_name": make_internal_name(id_, line.original_name),
        "mimetype": line.mimetype if MIMETYPE.fullmatch(line.mimetype) else UNKNOWN_TYPE,
        "from_agent": line.from_agent,
        "created_at": line.created_at,
        "uses": [
            {"session_id": of.id(use.session_id), "request_id": of.maybe(use.request_id)}
            for use in line.uses
        ],
    }


FILES: Taking[FileLine] = Taking(
    kinds.FILES, FileLine, _file, statements.FILES, "it took too long, or is there already"
)


@define
class FilesTaking:
    """Those of an archive, none of which stays where not all do."""

    importing: Importing
    stored: list[Row] = field(factory=list)
    size: int = 0

    async def take(self) -> TakenKind | None:
        """What has come of them. Raises StorageAwayError, StorageFullError."""
        entry = find_entry(self.importing.archive, FILES.kind.entry)
        if entry is None:
            return None
        tally, objects = Tally.of(FILES.kind.name), self.importing.call.state["objects"]
        try:
            async for lines in self.importing.lines(entry):
                for row in rows_of(self.importing.of, FILES, lines, tally):
                    await self._store(row, tally)
            await self._insert(tally)
        except (BadRequestError, TooLargeError) as error:
            await objects.remove(*(row["internal_name"] for row in self.stored))
            return tally.result(error.detail)
        except BaseException:
            await objects.remove(*(row["internal_name"] for row in self.stored))
            raise
        return tally.result()

    async def _store(self, row: Row, tally: Tally) -> None:
        state = self.importing.call.state
        entry = find_entry(self.importing.archive, row["entry"])
        if entry is None:
            tally.left_out[NO_BYTES] += 1
            return
        if entry.file_size > state["settings"].max_file_bytes:
            tally.left_out[TOO_LARGE] += 1
            return
        self.size += entry.file_size
        self._check_room()
        self.stored.append(row)
        row["size"] = await state["objects"].put(row["internal_name"], self._bytes(row["entry"]))

    def _check_room(self) -> None:
        """Refuse at once what all together can't be."""
        quota = self.importing.call.state["settings"].files_bytes_per_user
        if quota and self.size > quota:
            raise TooLargeError("The files are more than yours may have together")

    async def _bytes(self, name: str) -> AsyncIterator[bytes]:
        try:
            with self.importing.archive.open(name) as opened:
                while chunk := await asyncio.to_thread(opened.read, READ_BYTES):
                    await self.importing.keep()
                    yield chunk
        except DAMAGED as error:
            raise BadRequestError(BAD.format(f"{name}: {error}")) from None

    async def _insert(self, tally: Tally) -> None:
        call, owner = self.importing.call, self.importing.of.owner
        quota = call.state["settings"].files_bytes_per_user
        async with call.turn("create_import"), acting(call) as connection:
            for first in range(0, len(self.stored), BATCH):
                rows = self.stored[first : first + BATCH]
                values: dict[str, Any] = {"rows": rows, "owner": owner}
                added = int(await connection.fetch_val(FILES.insert, values))
                await connection.execute(statements.USES, values)
                tally.taken += added
                if len(rows) > added:
                    tally.left_out[FILES.not_added] += len(rows) - added
            await check_quota(connection, owner, quota, self.size)
