"""Rows become objects as the constructor makes them."""

from datetime import datetime
from uuid import UUID

import pytest
from attrs import asdict, frozen
from attrs.exceptions import FrozenInstanceError

from shared.codec.converter import dump
from shared.postgres.pool import connect, create_database
from shared.postgres.rows import build
from shared.settings.installation import Settings

ID = UUID("6f1b2f6c-1d0a-4a3e-9a51-0f2a5b8c7d9e")


@frozen(slots=False)
class Thing:
    id: UUID
    text: str | None
    number: int
    time: datetime


async def _select(settings: Settings, columns: str) -> list[Thing]:
    async with create_database(settings) as database, connect(database) as connection:
        return build(Thing, await connection.fetch_all(f"SELECT {columns}"))


async def test_a_row_becomes_the_object_that_the_constructor_makes(settings: Settings) -> None:
    columns = f"CAST('{ID}' AS uuid) AS id, NULL AS text, 5 AS number, localtimestamp AS time"
    [thing] = await _select(settings, columns)
    made = Thing(id=ID, text=None, number=5, time=thing.time)
    assert (thing, hash(thing)) == (made, hash(made))
    assert list(asdict(thing)) == list(asdict(made))
    assert dump(thing) == dump(made)


async def test_what_a_row_becomes_is_frozen(settings: Settings) -> None:
    columns = f"CAST('{ID}' AS uuid) AS id, NULL AS text, 5 AS number, localtimestamp AS time"
    [thing] = await _select(settings, columns)
    with pytest.raises(FrozenInstanceError):
        thing.number = 6  # type: ignore[misc]


@pytest.mark.parametrize(
    "columns",
    ["1 AS id, '' AS text, 5 AS number", "1 AS id, '' AS text, 5 AS number, 1 AS time, 1 AS key"],
    ids=["too few", "too many"],
)
async def test_other_columns_than_the_fields_are_refused(settings: Settings, columns: str) -> None:
    with pytest.raises(TypeError, match="Thing has the fields"):
        await _select(settings, columns)


def test_no_rows_become_no_objects() -> None:
    assert build(Thing, []) == []
