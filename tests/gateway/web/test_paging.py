"""What every list makes of `limit` and `offset`."""

from typing import Any

import pytest

from gateway.web.paging import MOST, cut
from tests.gateway.shapes import faults, good
from tests.sql import Sql
from tests.users import User

LISTS = ["/api/agents", "/api/agents/active", "/api/chats", "/api/llm/model/configs"]
HUGE = 2**63 - 1


def items(body: Any) -> list[Any]:
    """The list, wherever the answer has it."""
    if isinstance(body, dict):
        [found] = [value for value in body.values() if isinstance(value, list)]
        return list(found)
    return list(body)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "query", ["limit=0", "offset=1000", f"offset={HUGE}", f"limit=0&offset={HUGE}"]
)
async def test_nothing_asked_for_gives_an_empty_list(reader: User, path: str, query: str) -> None:
    assert items(good(await reader.http.get(f"{path}?{query}"))) == []


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("value", [1001, 1_000_000, HUGE, "1.0", "%201"])
async def test_a_large_limit_is_taken(reader: User, path: str, value: object) -> None:
    good(await reader.http.get(f"{path}?limit={value}"))


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("name", ["limit", "offset"])
@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (-1, "greater_than_equal"),
        (-HUGE, "greater_than_equal"),
        ("abc", "int_parsing"),
        ("", "int_parsing"),
        ("1.5", "int_parsing"),
        ("%00", "int_parsing"),
        (HUGE + 1, "int_parsing_size"),
        (10**20, "int_parsing_size"),
        ("9" * 5000, "int_parsing_size"),
    ],
    ids=lambda value: str(value)[:25],
)
async def test_what_is_no_limit_or_offset_is_a_fault(
    reader: User, path: str, name: str, value: object, type_: str
) -> None:
    answer = await reader.http.get(f"{path}?{name}={value}")
    assert faults(answer) == [(type_, ["query", name])]


async def test_what_is_no_integer_is_told_in_the_contracts_words(reader: User) -> None:
    answer = await reader.http.get("/api/chats?limit=abc")
    assert answer.json()["detail"] == [
        {
            "type": "int_parsing",
            "loc": ["query", "limit"],
            "msg": "Input should be a valid integer, unable to parse string as an integer",
            "input": "abc",
        }
    ]


async def test_both_faults_of_a_page_come_at_once(reader: User) -> None:
    answer = await reader.http.get("/api/chats?limit=-1&offset=x")
    assert faults(answer) == [
        ("greater_than_equal", ["query", "limit"]),
        ("int_parsing", ["query", "offset"]),
    ]


@pytest.mark.parametrize(("limit", "used"), [(0, 0), (1, 1), (1000, 1000), (1001, 1000)])
def test_a_limit_is_cut_to_a_thousand(limit: int, used: int) -> None:
    assert cut(limit) == used


@pytest.fixture
def many_chats(user: User, sql: Sql) -> None:
    sql(
        """
        INSERT INTO chatconversations (session_id, title, creator_id)
        SELECT gen_random_uuid(), number, %s FROM generate_series(1, %s) AS number
        """,
        user.id,
        MOST + 5,
    )


@pytest.mark.usefixtures("many_chats")
@pytest.mark.parametrize(
    ("query", "count"),
    [("", 100), ("?limit=5000", 1000), ("?offset=1003", 2), ("?limit=3&offset=1000", 3)],
)
async def test_a_list_has_100_items_by_default_and_1000_at_most(
    user: User, query: str, count: int
) -> None:
    assert len(items(good(await user.http.get(f"/api/chats{query}")))) == count


@pytest.mark.usefixtures("many_chats")
async def test_pages_that_follow_each_other_show_every_item_once(user: User) -> None:
    seen = []
    for offset in range(0, MOST + 5, 400):
        page = good(await user.http.get(f"/api/chats?limit=400&offset={offset}"))
        seen += [chat["title"] for chat in page["chats"]]
    assert sorted(seen, key=int) == [str(number) for number in range(1, MOST + 6)]
