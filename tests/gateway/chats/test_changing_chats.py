"""Renaming and deleting chats, through the real gateway."""

import asyncio
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.gateway.shapes import CREATED_CHAT, assert_shape, faults, good, refused, told
from tests.sql import Sql
from tests.system import System
from tests.users import Json, User, eventually

EVERYTHING = """
    SELECT (SELECT count(*) FROM chatconversations WHERE session_id = %s) AS chats,
           (SELECT count(*) FROM chatmessages WHERE conversation_id = %s) AS messages,
           (SELECT count(*) FROM requests WHERE session_id = %s) AS requests,
           (SELECT count(*) FROM logs WHERE session_id = %s) AS logs,
           (SELECT count(*) FROM files WHERE session_id = %s) AS files
"""


async def create(user: User) -> Json:
    new = {"session_id": str(uuid4()), "title": "old"}
    chat: Json = good(await user.http.post("/api/chats", json=new))
    return chat


async def rename(user: User, session_id: str, title: object) -> Any:
    params = {"session_id": session_id}
    return await user.http.patch("/api/chat", params=params, json={"title": title})


async def delete(user: User, session_id: str) -> Any:
    return await user.http.delete("/api/chat", params={"session_id": session_id})


def fill(sql: Sql, chat: Json) -> None:
    """Give a chat one of everything."""
    request_id, session_id, owner = uuid4(), chat["session_id"], chat["creator_id"]
    sql(
        """
        INSERT INTO chatmessages (id, request_id, sender_type, content, conversation_id)
        VALUES (%s, %s, 'user', 'm', %s)
        """,
        *(uuid4(), request_id, session_id),
    )
    sql(
        """
        INSERT INTO requests (id, session_id, creator_id, status, seq, deadline, ended_at)
        VALUES (%s, %s, %s, 'answered', 1, now(), now())
        """,
        *(request_id, session_id, owner),
    )
    sql(
        """
        INSERT INTO logs (session_id, request_id, creator_id, log_level, message, seq)
        VALUES (%s, %s, %s, 'info', 'm', 2)
        """,
        *(session_id, request_id, owner),
    )
    sql(
        """
        INSERT INTO files (id, session_id, request_id, creator_id, mimetype, original_name,
                           internal_name, internal_id, from_agent)
        VALUES (%s, %s, %s, %s, 'text/plain', 'a', 'a', %s, false)
        """,
        *(uuid4(), session_id, request_id, owner, uuid4()),
    )


def count(sql: Sql, chat: Json) -> list[int]:
    """How many rows of each kind belong to the chat."""
    [row] = sql(EVERYTHING, *[chat["session_id"]] * 5)
    return list(row.values())


async def test_a_renamed_chat_is_answered_and_listed_under_its_title(user: User) -> None:
    chat = await create(user)
    renamed = good(await rename(user, chat["session_id"], "new"))
    assert_shape(renamed, CREATED_CHAT)
    assert renamed == {**chat, "title": "new", "updated_at": renamed["updated_at"]}
    assert renamed["updated_at"] > chat["updated_at"]
    [listed] = good(await user.http.get("/api/chats"))["chats"]
    assert listed["title"] == "new"


@pytest.mark.parametrize("title", ["x" * 21, "", "  ", "\u200b", "\x00", None, 5], ids=repr)
async def test_a_title_has_one_to_twenty_characters(reader: User, title: object) -> None:
    told(await rename(reader, str(uuid4()), title), "title")
    new = {"session_id": str(uuid4()), "title": title}
    told(await reader.http.post("/api/chats", json=new), "title")


async def test_a_deleted_chat_takes_everything_with_it(user: User, sql: Sql) -> None:
    chat, other = await create(user), await create(user)
    fill(sql, chat)
    fill(sql, other)
    answer = await delete(user, chat["session_id"])
    assert (answer.status_code, answer.content) == (204, b"")
    assert count(sql, chat) == [0, 0, 0, 0, 0]
    assert count(sql, other) == [1, 1, 1, 1, 1]
    [listed] = good(await user.http.get("/api/chats"))["chats"]
    assert listed["session_id"] == other["session_id"]


async def test_what_is_logged_at_that_moment_goes_too(user: User, sql: Sql, system: System) -> None:
    chat = await create(user)
    fill(sql, chat)
    with psycopg.connect(system.settings.database_url) as logging:
        logging.execute(
            "UPDATE chatconversations SET last_seq = 3 WHERE session_id = %s", [chat["session_id"]]
        )
        deleting = asyncio.create_task(delete(user, chat["session_id"]))

        async def waits() -> bool:
            blocked = "SELECT pid FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
            return bool(sql(blocked, logging.info.backend_pid))

        await eventually(waits, "the deletion waits for what is being logged")
        logging.execute(
            """
            INSERT INTO logs (session_id, request_id, log_level, message, seq)
            VALUES (%s, gen_random_uuid(), 'info', 'late', 3)
            """,
            [chat["session_id"]],
        )
    assert (await deleting).status_code == 204
    assert count(sql, chat) == [0, 0, 0, 0, 0]


async def test_a_file_that_was_uploaded_but_not_sent_stays(user: User, file: str) -> None:
    chat = await create(user)
    assert (await delete(user, chat["session_id"])).status_code == 204
    assert (await user.http.get(f"/files/{file}")).status_code == 200


async def test_a_chat_is_deleted_once(user: User) -> None:
    chat = await create(user)
    assert (await delete(user, chat["session_id"])).status_code == 204
    assert chat["session_id"] in refused(await delete(user, chat["session_id"]))


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("query", "type_"), [({}, "missing"), ({"session_id": "abc"}, "uuid_parsing")], ids=str
)
async def test_the_chat_is_named_by_a_uuid(
    reader: User, method: str, query: dict[str, str], type_: str
) -> None:
    answer = await reader.http.request(method, "/api/chat", params=query, json={"title": "t"})
    assert faults(answer) == [(type_, ["query", "session_id"])]
