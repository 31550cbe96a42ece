"""Chats and their history, through the real gateway."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx2
import pytest

from tests.gateway.shapes import (
    CHAT,
    CREATED_CHAT,
    HISTORY,
    HISTORY_ITEM,
    assert_shape,
    faults,
    good,
    refused,
)
from tests.sql import Sql
from tests.system import SERVICE_KEY
from tests.users import User

NOTHING: dict[str, Any] = {"total_count": 0, "next_page": None, "previous_page": None, "items": []}
HUGE = 2**63 - 1


async def create(user: User, title: str = "t", session_id: str | None = None) -> dict[str, Any]:
    new = {"session_id": session_id or str(uuid4()), "title": title}
    chat: dict[str, Any] = good(await user.http.post("/api/chats", json=new))
    return chat


async def test_a_created_chat_is_answered_with_its_creator(user: User) -> None:
    chat = await create(user, "a title")
    assert_shape(chat, CREATED_CHAT)
    assert (chat["title"], chat["creator_id"]) == ("a title", user.id)


async def test_a_chat_is_listed_as_it_was_created(user: User) -> None:
    chat = await create(user)
    answer = good(await user.http.get("/api/chats"))
    assert answer.keys() == {"chats"}
    [listed] = answer["chats"]
    assert_shape(listed, CHAT)
    assert listed == {key: chat[key] for key in CHAT}


async def test_chats_are_listed_newest_first(user: User) -> None:
    for title in ("b", "a", "c"):
        await create(user, title)
    chats = good(await user.http.get("/api/chats"))["chats"]
    assert [chat["title"] for chat in chats] == ["c", "a", "b"]


async def test_chats_of_other_protocols_are_listed_where_they_are_asked_for(
    user: User, sql: Sql
) -> None:
    own, others = await create(user), await create(user)
    sql(
        "UPDATE chatconversations SET origin = 'history' WHERE session_id = %s",
        others["session_id"],
    )
    for query, listed in (
        ({}, [own]),
        ({"include_unlisted": "false"}, [own]),
        ({"include_unlisted": "true"}, [others, own]),
    ):
        chats = good(await user.http.get("/api/chats", params=query))["chats"]
        assert [chat["session_id"] for chat in chats] == [chat["session_id"] for chat in listed]


async def test_a_session_is_created_only_once(user: User, other_user: User) -> None:
    id_ = (await create(user))["session_id"]
    for someone in (user, other_user):
        answer = await someone.http.post("/api/chats", json={"session_id": id_, "title": "t"})
        assert refused(answer) == f"Chat with Session_id - '{id_}' already exists"


async def test_an_id_comes_back_in_its_usual_form(user: User) -> None:
    id_ = uuid4()
    assert (await create(user, session_id=id_.hex.upper()))["session_id"] == str(id_)


@pytest.mark.parametrize("title", ["x", "t" * 20, "😀" * 20, "  blanks  "])
async def test_a_title_has_1_to_20_characters(user: User, title: str) -> None:
    assert (await create(user, title))["title"] == title


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"session_id": "abc"}, ("uuid_parsing", ["body", "session_id"])),
        ({"session_id": 5}, ("uuid_type", ["body", "session_id"])),
    ],
    ids=str,
)
async def test_a_malformed_chat_is_a_fault(
    reader: User, others: dict[str, Any], expected: tuple[str, list[str]]
) -> None:
    new = {"session_id": str(uuid4()), "title": "t", **others}
    assert faults(await reader.http.post("/api/chats", json=new)) == [expected]


async def read(user: User, **query: Any) -> dict[str, Any]:
    history: dict[str, Any] = good(await user.http.get("/api/chat", params=query))
    assert_shape(history, HISTORY)
    return history


@pytest.fixture
async def session_id(user: User, sql: Sql) -> str:
    """A chat with the messages 1 to 7, a millisecond apart."""
    id_ = str((await create(user))["session_id"])
    sql(
        """
        INSERT INTO chatmessages
            (id, request_id, sender_type, content, created_at, conversation_id)
        SELECT gen_random_uuid(), gen_random_uuid(), 'user', number,
               now() + number * interval '1 millisecond', %s
        FROM generate_series(1, 7) AS number
        """,
        id_,
    )
    return id_


async def test_a_message_of_the_history_has_the_recorded_keys(user: User, session_id: str) -> None:
    for item in (await read(user, session_id=session_id))["items"]:
        assert_shape(item, HISTORY_ITEM)


@pytest.mark.parametrize(
    ("page", "size", "contents", "following", "previous"),
    [
        (1, 100, "7654321", None, None),
        (1, 7, "7654321", None, None),
        (1, 3, "765", 2, None),
        (2, 3, "432", 3, 1),
        (3, 3, "1", None, 2),
        (4, 3, "", None, 3),
        (5, 3, "", None, None),
        (7, 1, "1", None, 6),
        (8, 1, "", None, 7),
        (HUGE // 1000, HUGE, "", None, None),
        (1, HUGE, "7654321", None, None),
    ],
)
async def test_a_page_shows_its_messages_newest_first_and_its_neighbours(
    user: User,
    session_id: str,
    page: int,
    size: int,
    contents: str,
    following: int | None,
    previous: int | None,
) -> None:
    history = await read(user, session_id=session_id, page=page, per_page=size)
    assert history["total_count"] == 7
    assert "".join(item["content"] for item in history["items"]) == contents
    assert _page(history["next_page"]) == following
    assert _page(history["previous_page"]) == previous


def _page(url: str | None) -> int | None:
    return None if url is None else int(parse_qs(urlsplit(url).query)["page"][0])


@pytest.mark.parametrize("headers", [{}, {"Host": "evil.example"}, {"X-Forwarded-Prefix": "/evil"}])
async def test_the_url_of_a_page_has_the_recorded_query_and_nothing_that_the_client_said(
    user: User, session_id: str, headers: dict[str, str]
) -> None:
    query = {"session_id": session_id, "per_page": "3"}
    history = good(await user.http.get("/api/chat", params=query, headers=headers))
    assert history["next_page"] == f"/api/chat?session_id={session_id}&per_page=3&page=2"


async def test_following_the_urls_shows_every_message_once(user: User, session_id: str) -> None:
    history = await read(user, session_id=session_id, per_page=2)
    contents = [item["content"] for item in history["items"]]
    while history["next_page"]:
        history = good(await user.http.get(history["next_page"]))
        contents += [item["content"] for item in history["items"]]
    assert contents == list("7654321")


async def test_the_urls_for_a_service_keep_its_user(
    user: User, session_id: str, visitor: httpx2.AsyncClient
) -> None:
    query = {"session_id": session_id, "user_id": user.id, "per_page": "3"}
    headers = {"x-api-key": SERVICE_KEY}
    history = good(await visitor.get("/api/chat", params=query, headers=headers))
    following = good(await visitor.get(history["next_page"], headers=headers))
    assert [item["content"] for item in following["items"]] == ["4", "3", "2"]


async def test_a_page_has_1000_messages_at_most(user: User, sql: Sql) -> None:
    id_ = (await create(user))["session_id"]
    sql(
        """
        INSERT INTO chatmessages (id, sender_type, content, created_at, conversation_id)
        SELECT gen_random_uuid(), 'user', number, now() + number * interval '1 millisecond', %s
        FROM generate_series(1, 1005) AS number
        """,
        id_,
    )
    first = await read(user, session_id=id_, per_page=5000)
    second = good(await user.http.get(first["next_page"]))
    assert _contents(first) == [str(number) for number in range(1005, 5, -1)]
    assert _contents(second) == ["5", "4", "3", "2", "1"]
    assert second["next_page"] is None


def _contents(history: dict[str, Any]) -> Sequence[str]:
    return [item["content"] for item in history["items"]]


async def test_an_empty_chat_has_no_other_pages(user: User) -> None:
    id_ = (await create(user))["session_id"]
    assert await read(user, session_id=id_, page=2, per_page=1) == NOTHING


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ("missing", ["query", "session_id"])),
        ({"session_id": "abc"}, ("uuid_parsing", ["query", "session_id"])),
        ({"session_id": ""}, ("uuid_parsing", ["query", "session_id"])),
        ({"page": 0}, ("greater_than_equal", ["query", "page"])),
        ({"page": -1}, ("greater_than_equal", ["query", "page"])),
        ({"page": HUGE // 1000 + 1}, ("less_than_equal", ["query", "page"])),
        ({"page": HUGE + 1}, ("int_parsing_size", ["query", "page"])),
        ({"page": "x"}, ("int_parsing", ["query", "page"])),
        ({"per_page": 0}, ("greater_than_equal", ["query", "per_page"])),
        ({"per_page": -1}, ("greater_than_equal", ["query", "per_page"])),
        ({"per_page": HUGE + 1}, ("int_parsing_size", ["query", "per_page"])),
    ],
    ids=str,
)
async def test_a_malformed_page_is_a_fault(
    reader: User, query: dict[str, Any], expected: tuple[str, list[str]]
) -> None:
    session = {} if not query else {"session_id": str(uuid4())}
    answer = await reader.http.get("/api/chat", params={**session, **query})
    assert faults(answer) == [expected]
