"""What PostgreSQL writes of a row is, byte for byte, what is written of its object."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from random import Random
from types import NoneType
from typing import Any
from uuid import UUID

import attrs
import pytest
from databases import Database
from msgspec import UNSET, Raw, UnsetType

from gateway.agents.schemas import Agent
from gateway.chats.schemas import Chat, HistoryItem
from gateway.files.schemas import SessionFile, StoredFile
from gateway.groups.schemas import Group, GroupMember, Share
from gateway.identities.schemas import Identity
from gateway.keys.schemas import ApiKey
from gateway.requests.schemas import ChatRequest, UsedModel
from gateway.signins.schemas import SignIn
from gateway.web.paging import MOST_BYTES, Slice, select_page
from gateway.web.told import Told, _types, left, written
from shared.codec.converter import dump
from shared.domain.frames import LogEntry
from shared.postgres.pool import connect, create_database
from shared.settings.installation import Settings

KINDS = [
    *(Agent, ApiKey, Chat, ChatRequest, Group, GroupMember, HistoryItem, LogEntry, SessionFile),
    *(Identity, Share, SignIn, StoredFile),
]
SQL_TYPES: dict[Any, str] = {
    str: "text",
    UUID: "uuid",
    bool: "boolean",
    int: "bigint",
    float: "double precision",
    datetime: "timestamp",
    list[str]: "text[]",
    dict: "json",
    list[UsedModel]: "jsonb",
}
GIVEN = {"json": "text", "jsonb": "text"}
HOSTILE = [
    "",
    *map(chr, (*range(1, 0x80), 0x7F, 0x80, 0x9F, 0xA0, 0x2028, 0x2029, 0xFEFF, 0xFFFD, 0xFFFF)),
    "\U0001f600\U0010ffff",
    'a"b\\c/d</script>\u0000'[:-1],
    "null",
    "'; --",
    "%s {} :name \\:name $1",
    "e\u0301\u202e\u0000"[:-1],
]
NUMBERS = [0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)]
FRACTIONS = [0.0, -0.0, 1.0, 0.1, 1e-5, 1e-7, 1e15, 1e16, 1.5e300, 5e-324, 123456.789, -2.5]
TIMES = [
    datetime.fromisoformat(text)
    for text in (
        "2026-01-31T09:15:02",
        "2026-01-31T09:15:02.100000",
        "2026-12-31T23:59:59.999999",
        "1970-01-01T00:00:00.000001",
        "0001-01-02T00:00:00",
        "9999-12-31T23:59:59.999998",  # the last one before infinity
    )
]
OBJECTS = ["{}", '{"a":1.10,"b":[1e2,null,true]}', '{ "a" :  "\\u00e9" }', '{"a": {"b": [ ] }}']


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with create_database(settings) as database:
        yield database


def make_value(random: Random, type_: Any) -> Any:
    """What a column of the type may hold, as asyncpg takes it."""
    if type_ is str:
        return random.choice([*HOSTILE, "".join(random.choices(HOSTILE, k=9))])
    if type_ is UUID:
        return UUID(int=random.getrandbits(128))
    if type_ == list[str]:
        return random.choices(HOSTILE, k=random.randrange(3))
    if type_ is dict:
        return random.choice(OBJECTS)
    if type_ == list[UsedModel]:
        return "[]"  # what else is in it, `dump` has no class for
    choices: dict[Any, Sequence[Any]] = {bool: [True, False], int: NUMBERS, float: FRACTIONS}
    return random.choice(choices.get(type_, TIMES))


def make_row(random: Random, kind: Any) -> dict[str, tuple[str, Any]]:
    """A value for each field and its type in SQL; now and then null, where it may be."""
    row = {}
    for field in attrs.fields(kind):
        types = {*_types(field.type)}
        [type_] = types - {NoneType, UnsetType}
        is_null = len(types) > 1 and random.random() < 0.3
        row[field.name] = (SQL_TYPES[type_], None if is_null else make_value(random, type_))
    return row


async def read_both(
    database: Database, kind: Any, row: dict[str, tuple[str, Any]]
) -> tuple[bytes, bytes]:
    """The row as PostgreSQL writes it, and as it is written of an object."""
    names = {name: f"v{number}" for number, name in enumerate(row)}
    columns = [
        f'CAST(CAST(:{names[name]} AS {GIVEN.get(type_, type_)}) AS {type_}) AS "{name}"'
        for name, (type_, _) in row.items()
    ]
    sql = f"SELECT {', '.join(columns)}, 0 AS bytes LIMIT :limit OFFSET :offset"
    values = {names[name]: value for name, (_, value) in row.items()}
    objects = [name for name, (type_, _) in row.items() if type_ == "json"]

    def make(found: Any) -> Any:
        one = object.__new__(kind)
        for field in attrs.fields(kind):
            value = found[field.name]
            if value is None and field.default is UNSET:
                value = UNSET
            elif value is not None and field.name in objects:
                value = Raw(row[field.name][1])
            vars(one)[field.name] = value
        return one

    async with connect(database) as connection:
        told = await select_page(connection, sql, values, Slice(1, 0), Told(kind))
        made = await select_page(connection, sql, values, Slice(1, 0), make)
    return dump([told.make(each) for each in told.rows]), dump(made.things())


@pytest.mark.parametrize("kind", KINDS)
async def test_a_row_is_told_as_its_object_would_be(database: Database, kind: Any) -> None:
    random = Random(kind.__name__)  # noqa: S311
    for _ in range(60):
        told, made = await read_both(database, kind, make_row(random, kind))
        assert told == made


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
async def test_a_text_is_told_as_its_object_would_be(database: Database, text: str) -> None:
    row = {
        "session_id": ("uuid", UUID(int=1)),
        "title": ("text", text),
        "created_at": ("timestamp", TIMES[0]),
        "updated_at": ("timestamp", TIMES[1]),
    }
    told, made = await read_both(database, Chat, row)
    assert told == made
    assert json.loads(told)[0]["title"] == text


async def test_a_time_with_an_offset_is_told_in_utc(database: Database) -> None:
    row = make_row(Random(1), Chat)  # noqa: S311
    time = datetime.fromisoformat("2026-01-31T23:15:02.120000-05:00")
    told, made = await read_both(database, Chat, row | {"created_at": ("timestamptz", time)})
    assert told == made
    assert json.loads(told)[0]["created_at"] == "2026-02-01T04:15:02.120000"


async def test_a_null_that_the_class_does_not_know_is_told_as_such(database: Database) -> None:
    row = {field.name: ("text", None) for field in attrs.fields(Chat)}
    row |= {"created_at": ("timestamp", None), "updated_at": ("timestamp", None)}
    told, _ = await read_both(database, Chat, row)
    assert json.loads(told) == [dict.fromkeys(row)]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
async def test_what_is_left_to_the_gateway_is_filled(database: Database, text: str) -> None:
    told = Told(
        Chat,
        texts={"title": f"'[' || {left("'title'", 'title')} || ',1]'"},
        fill=lambda *values: dump([*values, "more"]).decode(),
    )
    statement = """
        SELECT CAST(:id AS uuid) AS session_id, CAST(:text AS text) AS title, now() AS created_at,
               now() AS updated_at, 0 AS bytes LIMIT :limit OFFSET :offset
    """
    values = {"id": UUID(int=1), "text": text}
    async with connect(database) as connection:
        page = await select_page(connection, statement, values, Slice(1, 0), told)
    [chat] = json.loads(dump(page.things()))
    assert chat["title"] == [["title", text, "more"], 1]


async def test_a_part_of_a_row_is_told_as_its_object_would_be(database: Database) -> None:
    row = make_row(Random(2), Chat)  # noqa: S311
    _, made = await read_both(database, Chat, row)
    sql = f"""
        SELECT {written(Chat, without=("updated_at",), title="'1'")} AS chat
        FROM (SELECT CAST(:id AS uuid) AS session_id, CAST(:at AS timestamp) AS created_at) AS one
    """  # noqa: S608 (names and types of ours)
    values = {"id": row["session_id"][1], "at": row["created_at"][1]}
    async with connect(database) as connection:
        part = await connection.fetch_val(sql, values)
    [whole] = json.loads(made)
    del whole["updated_at"]
    assert json.loads(part) == {**whole, "title": 1}


LIST = """
    SELECT CAST(number AS text) AS sender_type, repeat('é', size) AS content,
           CAST(NULL AS uuid) AS request_id, CAST(now() AS timestamp) AS created_at,
           2 * size AS bytes
    FROM unnest(CAST(:sizes AS integer[])) WITH ORDINALITY AS given (size, number)
    ORDER BY number LIMIT :limit OFFSET :offset
"""


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ([10], 1),
        ([1000] * 900, 900),
        ([MOST_BYTES // 2, 10], 1),
        ([10, MOST_BYTES // 2, 10], 1),
        ([MOST_BYTES // 8] * 5, 3),
        ([100] * 500 + [MOST_BYTES // 2], 500),
    ],
)
async def test_a_page_that_is_told_ends_where_it_is_large(
    database: Database, sizes: list[int], told: int
) -> None:
    async with connect(database) as connection:
        page = await select_page(
            connection, LIST, {"sizes": sizes}, Slice(1000, 0, 4 * MOST_BYTES), Told(HistoryItem)
        )
    pieces, number = await page.write()
    assert number == told
    assert [each["sender_type"] for each in json.loads(b"".join(pieces))] == [
        str(place) for place in range(1, told + 1)
    ]
    assert page.has_more == (told < len(sizes))


@pytest.mark.parametrize(("most_bytes", "told"), [(2000, 10), (1999, 1)])
async def test_a_page_that_is_not_cut_is_all_of_it_or_its_first_thing(
    database: Database, most_bytes: int, told: int
) -> None:
    part = Slice(10, 0, most_bytes, is_cut=False)
    async with connect(database) as connection:
        page = await select_page(connection, LIST, {"sizes": [100] * 10}, part, Told(HistoryItem))
    assert (len(page.rows), page.size) == (told, 2000)


async def test_what_is_joined_sees_the_rows_that_are_left_and_leaves_their_order(
    database: Database,
) -> None:
    joined = """
        LEFT JOIN (
            SELECT sender_type AS sender, count(*) OVER () AS number FROM told
            WHERE sender_type <> '2' ORDER BY sender_type
        ) AS counted ON sender = sender_type
    """
    told = Told(HistoryItem, texts={"content": "coalesce(CAST(number AS text), 'null')"})
    async with connect(database) as connection:
        page = await select_page(
            connection, LIST, {"sizes": [10, 10, 10, 1000]}, Slice(9, 0, 100), told, joined=joined
        )
    told_of = [(each["sender_type"], each["content"]) for each in json.loads(dump(page.things()))]
    assert told_of == [("1", 2), ("2", None), ("3", 2)]
    assert page.has_more


async def test_what_is_put_before_a_page_comes_first_on_it_and_is_not_counted(
    database: Database,
) -> None:
    for sizes, first in (([10, 10], 3), ([50_000] * 9, 200)):
        async with connect(database) as connection:
            page = await select_page(
                connection, LIST, {"sizes": sizes}, Slice(9, 0, MOST_BYTES), Told(HistoryItem)
            )
        page.put_before(range(first), lambda number: {"sender_type": -number}, 10 * first)
        pieces, told = await page.write()
        senders = [each["sender_type"] for each in json.loads(b"".join(pieces))]
        assert senders == [
            *(-number for number in range(first)),
            *map(str, range(1, len(sizes) + 1)),
        ]
        assert (told, page.uncounted) == (first + len(sizes), first)
