"""Entries of the audit log, as tests see them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from attrs import define, field

from tests.sql import Sql

type Entry = dict[str, Any]

NEWEST = "SELECT coalesce(max(id), 0) AS id FROM audit"
SINCE = """
    SELECT * FROM audit
    WHERE id > %s AND (CAST(%s AS text) IN (actor_id::text, owner_id::text))
    ORDER BY id
"""


@define
class Noted:
    """What came about a user; filled at the end of the block."""

    entries: list[Entry] = field(factory=list)

    @property
    def actions(self) -> list[str]:
        return [each["action"] for each in self.entries]

    @property
    def only(self) -> Entry:
        """The entry, where there is to be one."""
        [entry] = self.entries
        return entry


@asynccontextmanager
async def noting(sql: Sql, user_id: str) -> AsyncIterator[Noted]:
    """What is noted meanwhile of what a user does, or of what is done to what is his."""
    [newest] = sql(NEWEST)
    noted = Noted()
    yield noted
    noted.entries += sql(SINCE, newest["id"], user_id)
