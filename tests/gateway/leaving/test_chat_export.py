"""One chat as a file."""

import json
from uuid import uuid4

import pytest

from gateway.leaving.reading import PAGE
from tests.gateway.shapes import good, refused
from tests.sql import Sql
from tests.users import User


@pytest.fixture
async def chat(user: User, sql: Sql) -> str:
    """A chat with a message, an answer, one that is no JSON, and more than a page of messages."""
    new = {"session_id": str(uuid4()), "title": "Times / of day"}
    good(await user.http.post("/api/chats", json=new))
    said = [
        ("user", "What is the *time*?"),
        ("master_agent", json.dumps({"response": "It is noon.\n", "agents_trace": [1]})),
        ("master_agent", "no JSON"),
        *(("user", f"number {number}") for number in range(PAGE.limit)),
    ]
    sql(
        """
        INSERT INTO chatmessages (id, sender_type, content, conversation_id, created_at)
        SELECT gen_random_uuid(), CAST(said ->> 0 AS sendertype), said ->> 1, %s,
               timestamp '2026-01-02 03:04' + place * interval '1 millisecond'
        FROM json_array_elements(%s) WITH ORDINALITY AS said (said, place)
        """,
        *(new["session_id"], json.dumps(said)),
    )
    return new["session_id"]


async def test_a_chat_is_exported_as_json(user: User, chat: str) -> None:
    answer = await user.http.get(f"/api/chats/{chat}/export")
    assert answer.headers["content-type"] == "application/json"
    assert "filename*=UTF-8''of%20day.json" in answer.headers["content-disposition"]
    told = answer.json()
    assert (told["session_id"], told["title"]) == (chat, "Times / of day")
    first, second, third, *others = told["messages"]
    assert first == {
        "request_id": None,
        "sender_type": "user",
        "created_at": "2026-01-02T03:04:00.001000",
        "content": "What is the *time*?",
    }
    assert second["content"] == {"response": "It is noon.\n", "agents_trace": [1]}
    assert third["content"] == "no JSON"
    assert [each["content"] for each in others] == [f"number {n}" for n in range(PAGE.limit)]


async def test_a_chat_is_exported_as_markdown(user: User, chat: str) -> None:
    answer = await user.http.get(f"/api/chats/{chat}/export", params={"format": "markdown"})
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.text.startswith(
        "# Times / of day\n\n"
        "## User, 2026-01-02 03:04\n\nWhat is the *time*?\n\n"
        "## Answer, 2026-01-02 03:04\n\nIt is noon.\n\n"
        "## Answer, 2026-01-02 03:04\n\nno JSON\n\n"
        "## User, 2026-01-02 03:04\n\nnumber 0\n"
    )


async def test_an_empty_chat_is_one_without_messages(user: User) -> None:
    id_ = str(uuid4())
    good(await user.http.post("/api/chats", json={"session_id": id_, "title": "t"}))
    assert good(await user.http.get(f"/api/chats/{id_}/export"))["messages"] == []


async def test_nobody_exports_another_ones_chat(other_user: User, chat: str) -> None:
    answer = await other_user.http.get(f"/api/chats/{chat}/export")
    assert refused(answer) == f"Chat with session_id {chat} does not exist"
