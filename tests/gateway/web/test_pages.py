"""Pages are bounded in bytes, give way while they are written, and say where the list goes on."""

import asyncio
import json
from collections.abc import AsyncIterator
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from attrs import frozen
from databases import Database

from gateway.web.paging import MOST_BYTES, SMALL_BYTES, Page, Slice, select_page
from shared.postgres.pool import connect, create_database
from shared.postgres.rows import builder
from shared.settings.installation import Settings
from tests.sql import Sql
from tests.users import User

LIST = """
    SELECT number, repeat('x', size) AS text, octet_length(repeat('x', size)) AS bytes
    FROM unnest(CAST(:sizes AS integer[])) WITH ORDINALITY AS given (size, number)
    ORDER BY number LIMIT :limit OFFSET :offset
"""


@frozen(slots=False)
class Thing:
    number: int
    text: str


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with create_database(settings) as database:
        yield database


async def select(database: Database, sizes: list[int], part: Slice) -> Page[Thing]:
    async with connect(database) as connection:
        return await select_page(connection, LIST, {"sizes": sizes}, part, builder(Thing))


@pytest.mark.parametrize("seed", range(12))
async def test_pages_that_follow_each_other_hold_each_thing_once(
    database: Database, seed: int
) -> None:
    random = Random(seed)  # noqa: S311
    sizes = [random.choice([0, 10, 999, 1000, 1001, 5000]) for _ in range(random.randrange(1, 60))]
    limit, most = random.randrange(1, 20), 3000
    found, offset = list[int](), 0
    while True:
        page = await select(database, sizes, Slice(limit, offset, most))
        assert 1 <= len(page.rows) <= limit
        assert len(page.rows) == 1 or sum(len(each.text) for each in page.things()) <= most
        found += [each.number for each in page.things()]
        offset += len(page.rows)
        if not page.has_more:
            break
    assert found == [*range(1, len(sizes) + 1)]


async def test_postgresql_sends_no_more_than_fits_and_says_how_much_there_is(
    database: Database,
) -> None:
    page = await select(database, [1000] * 10, Slice(5, 2, 2500))
    assert [each.number for each in page.things()] == [3, 4]
    assert page.has_more
    assert page.size == 6000  # with the one behind it, which tells that there is more


@pytest.mark.parametrize(("limit", "has_more"), [(2, True), (3, False), (4, False), (0, False)])
async def test_there_is_more_only_where_something_follows(
    database: Database, limit: int, *, has_more: bool
) -> None:
    page = await select(database, [1] * 3, Slice(limit, 0))
    assert (len(page.rows), page.has_more) == (min(limit, 3), has_more)


def large_page(count: int, characters: str) -> Page[Thing]:
    return Page([*range(count)], lambda row: Thing(row, characters), MOST_BYTES)


async def test_a_page_is_no_larger_than_it_may_be_whatever_its_characters_become() -> None:
    page = large_page(150, "\x01" * 65_000)  # six bytes each as JSON
    pieces, told = await page.write()
    text = b"".join(pieces)
    assert MOST_BYTES - 7 * 65_000 < len(text) <= MOST_BYTES + 2
    assert [each["number"] for each in json.loads(text)] == [*range(told)]
    assert page.has_more


async def test_a_thing_that_is_too_large_is_told_alone() -> None:
    page = large_page(3, "x" * (MOST_BYTES + 1))
    pieces, told = await page.write()
    assert (told, len(json.loads(b"".join(pieces)))) == (1, 1)


async def test_others_have_their_turn_while_a_large_page_is_written() -> None:
    turns, is_done = 0, False

    async def take_turns() -> None:
        nonlocal turns
        while not is_done:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(take_turns())
    pieces, _ = await large_page(1000, "x" * 8000).write()
    is_done = True
    await other
    size = sum(map(len, pieces))
    assert size > 7 * 1024 * 1024
    assert turns >= size / (128 * 1024)
    assert max(map(len, pieces)) < 128 * 1024


async def test_a_page_is_written_where_it_belongs() -> None:
    @frozen(slots=False)
    class Around:
        count: int
        things: list[Thing]

    for size in (0, MOST_BYTES):
        page = Page([1, 2], lambda row: Thing(row, "]}"), size, around=lambda n: Around(n, []))
        pieces, _ = await page.write()
        told = json.loads(b"".join(pieces))
        assert told["count"] == 2
        assert [each["number"] for each in told["things"]] == [1, 2]


async def follow(user: User, path: str) -> tuple[list[Any], int]:
    """What all pages hold, each found by the header of the one before, and how many these are."""
    found, pages, url = list[Any](), 0, path
    while url:
        answer = await user.http.get(url)
        assert answer.status_code == 200, answer.text
        assert int(answer.headers["content-length"]) == len(answer.content) <= MOST_BYTES + 1000
        body = answer.json()
        url = answer.links.get("next", {}).get("url", "")
        pages += 1
        if isinstance(body, dict):
            assert (body["next_page"] or "") == url
            body = body["items"]
        found += body
    return found, pages


async def make_session(user: User) -> str:
    session_id = str(uuid4())
    await user.http.post("/api/chats", json={"session_id": session_id, "title": "t"})
    return session_id


@pytest.mark.parametrize("by", ["session_id", "request_id"])
async def test_log_entries_come_in_pages_of_so_many_bytes(user: User, sql: Sql, by: str) -> None:
    ids = {"session_id": await make_session(user), "request_id": str(uuid4())}
    sql(
        """
        INSERT INTO logs (session_id, request_id, message, log_level)
        SELECT %s, %s, number || repeat('x', 65000), 'info' FROM generate_series(1, 300) AS number
        """,
        *ids.values(),
    )
    found, pages = await follow(user, f"/api/logs/list?{by}={ids[by]}")
    assert [each["message"].rstrip("x") for each in found] == [str(n) for n in range(1, 301)]
    assert pages == 3


async def test_log_entries_have_a_thousand_in_a_page(user: User, sql: Sql) -> None:
    session_id = await make_session(user)
    sql(
        """
        INSERT INTO logs (session_id, request_id, message, log_level)
        SELECT %s, gen_random_uuid(), number, 'info' FROM generate_series(1, 2500) AS number
        """,
        session_id,
    )
    found, pages = await follow(user, f"/api/logs/list?session_id={session_id}")
    assert [each["message"] for each in found] == [str(n) for n in range(1, 2501)]
    assert pages == 3
    path = f"/api/logs/list?session_id={session_id}&limit=2&offset=2497"
    found, pages = await follow(user, path)
    assert ([each["message"] for each in found], pages) == (["2498", "2499", "2500"], 2)


async def test_files_of_a_session_have_a_thousand_in_a_page(user: User, sql: Sql) -> None:
    session_id = await make_session(user)
    sql(
        """
        INSERT INTO files (id, session_id, creator_id, original_name, internal_name, internal_id,
                           mimetype, from_agent)
        SELECT gen_random_uuid(), %s, %s, 'a', 'a', gen_random_uuid(), 'a/b', false
        FROM generate_series(1, 1200)
        """,
        session_id,
        user.id,
    )
    found, pages = await follow(user, f"/files?session_id={session_id}")
    assert (len({each["file_id"] for each in found}), len(found), pages) == (1200, 1200, 2)


async def test_a_history_goes_on_where_a_page_became_too_large(user: User, sql: Sql) -> None:
    session_id = await make_session(user)
    sql(
        """
        INSERT INTO chatmessages (id, request_id, sender_type, content, created_at, conversation_id)
        SELECT gen_random_uuid(), gen_random_uuid(), 'user',
               number || repeat('x', CASE WHEN mod(number, 3) = 0 THEN 900000 ELSE 10 END),
               timestamp '2026-01-01' + number * interval '1 second', %s
        FROM generate_series(1, 65) AS number
        """,
        session_id,
    )
    found, pages = await follow(user, f"/api/chat?session_id={session_id}&per_page=40")
    assert [each["content"].rstrip("x") for each in found] == [str(n) for n in range(65, 0, -1)]
    assert pages == 3


async def test_large_agents_come_in_pages_as_they_are_stored(user: User, sql: Sql) -> None:
    schema = {
        "type": "function",
        "function": {"name": "x", "p": ["y" * 60_000, 12345678901234567890]},
    }
    sql(
        """
        INSERT INTO agents (id, name, alias, description, input_parameters, jwt, creator_id,
                            is_active)
        SELECT gen_random_uuid(), 'name' || number, gen_random_uuid(), 'd', %s, gen_random_uuid(),
               %s, true
        FROM generate_series(1, 150) AS number
        """,
        json.dumps(schema),
        user.id,
    )
    found, pages = await follow(user, "/api/agents?limit=1000&description=D")
    assert pages == 2
    assert {each["agent_name"] for each in found} == {f"name{n}" for n in range(1, 151)}
    for each in found:
        schema["function"]["name"] = each["agent_name"]  # type: ignore[index]
        assert each["agent_schema"] == schema


async def test_a_small_list_says_nothing_of_more(user: User) -> None:
    await user.register_agent("one", "d")
    assert "link" not in (await user.http.get("/api/agents")).headers
    assert "link" not in (await user.http.get("/api/agents?limit=0")).headers


def test_what_is_read_at_once_is_far_less_than_a_page() -> None:
    assert 16 * SMALL_BYTES <= MOST_BYTES
