"""Rows become objects as the constructor makes them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from attrs import asdict, frozen
from attrs.exceptions import FrozenInstanceError

from shared.codec.converter import dump
from shared.postgres.pool import connect, create_database
from shared.postgres.rows import build, builder
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


async def test_a_row_of_a_page_becomes_an_object_whose_json_is_told_as_it_is_stored(
    settings: Settings,
) -> None:
    @frozen(slots=False)
    class Document:
        time: datetime
        content: dict[str, Any]
        optional: dict[str, Any] | None
        absent: dict[str, Any] | None

    sql = """
        SELECT timestamp '2026-01-02' AS time, '{"a" ' || chr(58) || '1.0}' AS content,
               '{ }' AS optional, NULL AS absent, 5 AS size
    """
    async with create_database(settings) as database, connect(database) as connection:
        [row] = await connection.fetch_all(sql)
    told = dump(builder(Document, "content", "optional", "absent")(row))
    assert b'"time":"2026-01-02T00:00:00.000000"' in told
    assert told.endswith(b'"content":{"a" :1.0},"optional":{ },"absent":null}')


async def test_a_row_of_a_page_with_other_columns_is_refused(settings: Settings) -> None:
    async with create_database(settings) as database, connect(database) as connection:
        [row] = await connection.fetch_all("SELECT 1 AS number, 2 AS id")
    with pytest.raises(TypeError, match="Thing has the fields"):
        builder(Thing)(row)
