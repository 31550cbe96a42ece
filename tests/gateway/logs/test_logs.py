"""Reading what agents logged, through the real gateway."""

from typing import Any
from uuid import uuid4

import pytest

from tests.gateway.shapes import LOG, assert_shape, faults, good, refused
from tests.sql import Sql
from tests.users import User

REQUEST = str(uuid4())


async def read(user: User, **query: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = good(await user.http.get("/api/logs/list", params=query))
    return entries


@pytest.fixture
async def session_id(user: User, sql: Sql) -> str:
    """A session with three entries; the last two are of one request."""
    id_ = str(uuid4())
    await user.http.post("/api/chats", json={"session_id": id_, "title": "t"})
    for number, request_id in enumerate([str(uuid4()), REQUEST, REQUEST]):
        sql(
            """
            INSERT INTO logs (session_id, request_id, agent_id, creator_id, message, log_level)
            VALUES (%s, %s, NULL, %s, %s, 'info')
            """,
            id_,
            request_id,
            user.id,
            str(number),
        )
    return id_


async def test_the_entries_of_a_session_come_in_order(user: User, session_id: str) -> None:
    entries = await read(user, session_id=session_id)
    assert [entry["message"] for entry in entries] == ["0", "1", "2"]
    for entry in entries:
        assert_shape(entry, LOG)


async def test_the_entries_of_a_request_are_only_its_own(user: User, session_id: str) -> None:
    entries = await read(user, request_id=REQUEST)
    assert [entry["message"] for entry in entries] == ["1", "2"]
    assert {entry["session_id"] for entry in entries} == {session_id}


@pytest.mark.parametrize("by", ["session_id", "request_id"])
async def test_entries_of_all_partitions_come_in_order_page_by_page(
    user: User, sql: Sql, by: str
) -> None:
    named = {"session_id": str(uuid4()), "request_id": str(uuid4())}
    await user.http.post("/api/chats", json={"session_id": named["session_id"], "title": "t"})
    sql(
        """
        INSERT INTO logs (session_id, request_id, creator_id, message, log_level, created_at)
        SELECT %s, %s, %s, number, 'info', now() + number %% 5 * interval '3 days'
        FROM generate_series(0, 24) AS number
        """,
        *named.values(),
        user.id,
    )
    used = sql("SELECT DISTINCT tableoid FROM logs WHERE session_id = %s", named["session_id"])
    assert len(used) > 3
    query, pages = {by: named[by], "limit": "10"}, []
    for offset in ("0", "10", "20", "30"):
        entries = await read(user, **query, offset=offset)
        pages.append([int(entry["message"]) for entry in entries])
    assert pages == [list(range(10)), list(range(10, 20)), list(range(20, 25)), []]


async def test_a_request_or_a_session_must_be_named(reader: User) -> None:
    answer = await reader.http.get("/api/logs/list")
    assert refused(answer) == "Either 'request_id' or 'session_id' must be provided"


async def test_a_request_and_a_session_are_too_much(reader: User) -> None:
    query = {"request_id": str(uuid4()), "session_id": str(uuid4())}
    answer = await reader.http.get("/api/logs/list", params=query)
    assert refused(answer) == "Only 'request_id' or 'session_id' could be provided but not both"


@pytest.mark.parametrize("by", ["session_id", "request_id"])
@pytest.mark.parametrize("text", ["abc", "", "\x00"])
async def test_an_id_is_a_uuid(reader: User, by: str, text: str) -> None:
    answer = await reader.http.get("/api/logs/list", params={by: text})
    assert faults(answer) == [("uuid_parsing", ["query", by])]
