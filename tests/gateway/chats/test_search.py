"""Finding messages of all chats by their words."""

import json
from typing import Any
from uuid import uuid4

import pytest

from gateway.chats.search import cut_snippet, wanted_words
from tests.gateway.shapes import good
from tests.sql import Sql
from tests.users import User


@pytest.fixture
async def chat(user: User) -> str:
    """An empty chat of the user."""
    new = {"session_id": str(uuid4()), "title": "t"}
    return str(good(await user.http.post("/api/chats", json=new))["session_id"])


def say(sql: Sql, session_id: str, text: str, sender: str = "user") -> None:
    """Store a message as services of the version before do: without its owner."""
    content = text if sender == "user" else json.dumps({"response": text, "agents_trace": [1]})
    sql(
        """
        INSERT INTO chatmessages (id, request_id, sender_type, content, conversation_id, created_at)
        VALUES (gen_random_uuid(), gen_random_uuid(), %s, %s, %s,
                timezone('utc', clock_timestamp()))
        """,
        *(sender, content, session_id),
    )


async def find(user: User, query: str, **more: Any) -> list[dict[str, Any]]:
    answer = await user.http.get("/api/chats/search", params={"query": query, **more})
    hits: list[dict[str, Any]] = good(answer)
    return hits


def text_of(hit: dict[str, Any]) -> str:
    return "".join(each["text"] for each in hit["snippet"])


def marked(hit: dict[str, Any]) -> list[str]:
    return [each["text"] for each in hit["snippet"] if each["is_match"]]


@pytest.mark.parametrize(
    ("text", "query", "marks"),
    [
        ("What is the Time in Kyiv?", "time kyiv", ["Time", "Kyiv"]),
        ("What is the time in Kyiv?", "what tim", ["What", "time"]),
        ("Який час у Києві?", "києв", ["Києві"]),
        ("我喜欢Python编程语言。", "编程", ["编程"]),
        ("我喜欢Python编程语言。", "python编程", ["Python", "编程"]),
        ("日本語のテスト", "テスト", ["テスト"]),
        ("ภาษาไทยง่ายมาก", "ไทย", ["ไทย"]),
        ('say "hello world" to me', '"hello world"', ["hello", "world"]),
        ("a cat sat", "dog or cat", ["cat"]),
        ("a cat sat", "cat -dog", ["cat"]),
        ("a cat sat", "-dog", []),
    ],
)
async def test_a_message_is_found_by_its_words_in_any_language(
    user: User, sql: Sql, chat: str, text: str, query: str, marks: list[str]
) -> None:
    say(sql, chat, text)
    [hit] = await find(user, query)
    assert (text_of(hit), marked(hit)) == (text, marks)
    assert (hit["session_id"], hit["title"], hit["sender_type"]) == (chat, "t", "user")


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("a cat sat", "dog"),
        ("a cat sat", "cat -sat"),
        ("world hello", '"hello world"'),
        ("编语程", "编程"),
        ("a cat sat", "ca"),
        ("a cat sat", "..."),
        ("a cat sat", "owner"),
    ],
)
async def test_what_does_not_have_the_words_is_not_found(
    user: User, sql: Sql, chat: str, text: str, query: str
) -> None:
    say(sql, chat, text)
    assert await find(user, query) == []


async def test_of_an_answer_only_its_text_is_searched(user: User, sql: Sql, chat: str) -> None:
    say(sql, chat, 'line\nДень "one"', "master_agent")
    [hit] = await find(user, "день one")
    assert (text_of(hit), hit["sender_type"]) == ('line\nДень "one"', "master_agent")
    assert await find(user, "response") == []


async def test_an_answer_that_is_no_json_or_holds_what_postgresql_can_not_is_found_too(
    user: User, sql: Sql, chat: str
) -> None:
    sql(
        """
        INSERT INTO chatmessages (id, sender_type, content, conversation_id)
        VALUES (gen_random_uuid(), 'master_agent', 'plain {words', %s),
               (gen_random_uuid(), 'master_agent', '{"response": "nul \\u0000 words"}', %s),
               (gen_random_uuid(), 'master_agent', '[]', %s)
        """,
        *(chat, chat, chat),
    )
    assert len(await find(user, "words")) == 2


async def test_a_message_has_the_place_of_its_request_in_the_session(
    user: User, sql: Sql, chat: str
) -> None:
    say(sql, chat, "apple")
    say(sql, chat, "apple", "master_agent")
    sql(
        """
        INSERT INTO requests
            (id, session_id, creator_id, status, seq, accepted_seq, deadline, ended_at)
        SELECT request_id, conversation_id, owner_id, 'answered',
               CASE sender_type WHEN 'user' THEN 7 ELSE 8 END, 5, now(), now()
        FROM chatmessages WHERE conversation_id = %s
        """,
        chat,
    )
    assert [hit["seq"] for hit in await find(user, "apple")] == [8, 5]


async def test_hits_come_newest_first_and_in_pages(user: User, sql: Sql, chat: str) -> None:
    for number in range(3):
        say(sql, chat, f"apple {number}")
    assert [text_of(each) for each in await find(user, "apple")] == [
        "apple 2",
        "apple 1",
        "apple 0",
    ]
    answer = await user.http.get("/api/chats/search", params={"query": "apple", "limit": 2})
    assert 'offset=2>; rel="next"' in answer.headers["Link"]
    assert [text_of(each) for each in await find(user, "apple", offset=2)] == ["apple 0"]


async def test_chats_of_other_protocols_are_searched_where_that_is_asked_for(
    user: User, sql: Sql, chat: str
) -> None:
    say(sql, chat, "apple")
    sql("UPDATE chatconversations SET origin = 'history' WHERE session_id = %s", chat)
    assert await find(user, "apple") == []
    assert len(await find(user, "apple", include_unlisted="true")) == 1


async def test_nobody_finds_what_others_wrote(
    user: User, other_user: User, sql: Sql, chat: str
) -> None:
    say(sql, chat, "apple")
    assert len(await find(user, "apple")) == 1
    for query in ("apple", f"apple or {user.id}", f'" {user.id}"', "-pear"):
        assert await find(other_user, query) == []


@pytest.mark.parametrize(
    "query", ["'", '"', "\\", "a:*", "a & b", "!a", "(a", "'a'::text", "<->", '-"a b"', "a'b:*"]
)
async def test_signs_that_mean_something_to_postgresql_are_only_signs(
    reader: User, query: str
) -> None:
    await find(reader, query)


async def test_a_query_is_bounded(reader: User) -> None:
    for query in ("", "x" * 201):
        answer = await reader.http.get("/api/chats/search", params={"query": query})
        assert answer.status_code in {400, 422}


def test_a_snippet_is_cut_around_the_first_word_that_was_found() -> None:
    text = "x " * 5000 + "apple and more" + " y" * 5000
    snippet = [*cut_snippet(text, wanted_words("apple"))]
    assert [each.text for each in snippet if each.is_match] == ["apple"]
    assert [len(each.text) for each in snippet] == [60, 5, 175]


async def test_the_longest_message_and_words_without_end_are_stored(
    user: User, sql: Sql, chat: str
) -> None:
    for text in ("x" * 1_000_000, "apple " * 100_000, "语" * 300_000):
        say(sql, chat, text)
    assert len(await find(user, "apple")) == 1
    [hit] = await find(user, "语语")
    assert len(text_of(hit)) == 240


async def test_a_message_that_begins_a_chat_is_its_owners_whoever_stores_it(
    user: User, sql: Sql
) -> None:
    sql(
        """
        WITH chat AS (
            INSERT INTO chatconversations (session_id, title, creator_id)
            VALUES (gen_random_uuid(), 't', %s) RETURNING session_id
        )
        INSERT INTO chatmessages (id, sender_type, content, conversation_id)
        SELECT gen_random_uuid(), 'user', 'apple', session_id FROM chat
        """,
        user.id,
    )
    assert len(await find(user, "apple")) == 1
