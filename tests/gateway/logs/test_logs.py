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
