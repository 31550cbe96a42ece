"""A file that belongs to several messages lives as long as one of them does."""

import asyncio
from uuid import uuid4

import httpx2
import psycopg

from tests.gateway.files.uploading import CONTENT, ids_of, insert_session, metadata, upload
from tests.gateway.shapes import good, refused
from tests.sql import Sql
from tests.system import System
from tests.users import Chat, Json, User, eventually


async def send(user: User, *files: str, session_id: str | None = None) -> Json:
    """Send the files with a message; what came of it."""
    async with user.chat(session_id) as chat:
        response: Json = (await chat.ask("look", files=list(files)))["response"]
    return response


async def listed(user: User, session_id: str) -> list[Json]:
    files: list[Json] = good(await user.http.get("/files", params={"session_id": session_id}))
    return files


def entry(file: str, response: Json) -> Json:
    ids = {name: response[name] for name in ("session_id", "request_id")}
    return {"file_id": file, **ids}


async def delete_chat(user: User, session_id: str) -> httpx2.Response:
    return await user.http.delete("/api/chat", params={"session_id": session_id})


async def exists(user: User, file: str) -> bool:
    answer = await user.http.get(f"/files/{file}")
    assert answer.status_code in {200, 400}
    assert answer.status_code == 400 or answer.content == CONTENT
    return answer.status_code == 200


def left_of(system: System, sql: Sql, file: str) -> list[object]:
    """What a file has left in the storage and in PostgreSQL."""
    uses = sql("SELECT file_id FROM file_uses WHERE file_id = %s", file)
    notes = sql("SELECT since FROM stray_objects WHERE internal_name LIKE %s", f"{file}%")
    return [*system.files.glob(f"{file}*"), *uses, *notes]


async def test_a_file_sent_in_two_chats_is_a_file_of_both(user: User, file: str) -> None:
    first, second = await send(user, file), await send(user, file)
    for response in (first, second):
        assert await listed(user, response["session_id"]) == [entry(file, response)]
        [told] = response["files"]
        assert (told["session_id"], told["request_id"]) == (
            response["session_id"],
            response["request_id"],
        )
    found = await metadata(user.http, file)
    assert (found["session_id"], found["request_id"]) == (
        second["session_id"],
        second["request_id"],
    )


async def test_it_goes_with_the_last_of_its_chats(
    user: User, system: System, sql: Sql, file: str
) -> None:
    responses = [await send(user, file) for _ in range(3)]
    first, second, third = [each["session_id"] for each in responses]
    for gone, newest in ((third, responses[1]), (first, responses[1])):
        assert (await delete_chat(user, gone)).status_code == 204
        assert await exists(user, file)
        found = await metadata(user.http, file)
        assert {**entry(file, newest), "file_id": found["id"]} == entry(file, found)
        assert await listed(user, second) == [entry(file, newest)]
        assert await listed(user, gone) == []
    assert (await delete_chat(user, second)).status_code == 204
    assert not await exists(user, file)
    assert left_of(system, sql, file) == []


async def test_its_owner_deletes_it_whoever_uses_it(
    user: User, system: System, sql: Sql, file: str
) -> None:
    sessions = [(await send(user, file))["session_id"] for _ in range(2)]
    assert (await user.http.delete(f"/files/{file}")).status_code == 204
    assert [await listed(user, session) for session in sessions] == [[], []]
    assert left_of(system, sql, file) == []


async def test_each_message_of_a_chat_keeps_it(user: User, sql: Sql) -> None:
    session_id = insert_session(sql, user.id)
    file = await upload(user.http, session_id=session_id)
    uploaded = {"file_id": file, "session_id": session_id, "request_id": None}
    assert await listed(user, session_id) == [uploaded]
    responses = [await send(user, file, session_id=session_id) for _ in range(2)]
    assert await listed(user, session_id) == [entry(file, each) for each in responses]


async def replayed(chat: Chat, request_id: str) -> Json:
    while (frame := await chat.receive_answer())["response"]["request_id"] != request_id:
        pass
    response: Json = frame["response"]
    return response


async def test_an_answer_that_is_read_again_has_the_files_that_it_had(
    user: User, agent: httpx2.AsyncClient, sql: Sql
) -> None:
    async with user.chat() as chat:
        first = (await chat.ask("look"))["response"]
    ids = {"session_id": first["session_id"], "request_id": first["request_id"]}
    made = await upload(agent, "made.txt", **ids)
    await send(user, made)
    await send(user, made, session_id=chat.session_id)
    async with user.chat(chat.session_id, after=0) as again:
        response = await replayed(again, first["request_id"])
    [told] = response["files"]
    assert (told["id"], told["from_agent"], told["request_id"]) == (made, True, ids["request_id"])


async def waiting(sql: Sql, blocker: psycopg.Connection, number: int) -> None:
    """Wait until so many statements wait for this connection, or for one that does."""

    async def wait() -> bool:
        blocked = """
            WITH RECURSIVE blocked AS (
                SELECT %s::int AS pid
                UNION
                SELECT activity.pid FROM pg_stat_activity AS activity JOIN blocked
                ON blocked.pid = ANY(pg_blocking_pids(activity.pid))
            )
            SELECT pid FROM blocked
        """
        return len(sql(blocked, blocker.info.backend_pid)) == number + 1

    await eventually(wait, f"{number} statements wait")


async def test_two_chats_that_are_deleted_at_once_leave_nothing(
    user: User, system: System, sql: Sql
) -> None:
    files = [await upload(user.http) for _ in range(3)]
    sessions = [(await send(user, *files))["session_id"] for _ in range(2)]
    with psycopg.connect(system.settings.database_url) as blocker:
        blocker.execute("SELECT id FROM files WHERE id = %s FOR UPDATE", [min(files)])
        deleting = [asyncio.create_task(delete_chat(user, session)) for session in sessions]
        await waiting(sql, blocker, 2)
    assert [answer.status_code for answer in await asyncio.gather(*deleting)] == [204, 204]
    assert [await exists(user, file) for file in files] == [False] * 3
    assert [left_of(system, sql, file) for file in files] == [[]] * 3


async def test_a_file_that_is_being_sent_outlives_the_chat_that_had_it(
    user: User, system: System, sql: Sql, file: str
) -> None:
    had, (has, request_id) = (await send(user, file))["session_id"], ids_of(sql, user)
    with psycopg.connect(system.settings.database_url) as sending:
        sending.execute(  # as whoever stores a message does, of the earlier version too
            "UPDATE files SET session_id = %s, request_id = %s WHERE id = %s",
            [has, request_id, file],
        )
        deleting = asyncio.create_task(delete_chat(user, had))
        await waiting(sql, sending, 1)
    assert (await deleting).status_code == 204
    assert await exists(user, file)
    assert await listed(user, has) == [
        {"file_id": file, "session_id": has, "request_id": request_id}
    ]


async def test_a_file_that_is_sent_while_its_chat_goes_is_gone(
    user: User, system: System, sql: Sql, file: str
) -> None:
    had, other = (await send(user, file))["session_id"], str(uuid4())
    with psycopg.connect(system.settings.database_url) as blocker:
        blocker.execute("SELECT id FROM files WHERE id = %s FOR UPDATE", [file])
        deleting = asyncio.create_task(delete_chat(user, had))
        await waiting(sql, blocker, 1)
        sending = asyncio.create_task(send(user, file, session_id=other))
        await waiting(sql, blocker, 2)
    assert (await deleting).status_code == 204
    response = await sending
    assert response["files"] == []
    assert file in response["response"]["response"]
    assert left_of(system, sql, file) == []


async def test_a_file_for_a_chat_that_goes_is_refused(user: User, system: System, sql: Sql) -> None:
    session_id, _ = ids_of(sql, user)
    objects = set(system.files.iterdir())
    with psycopg.connect(system.settings.database_url) as deleting:
        deleting.execute("DELETE FROM chatconversations WHERE session_id = %s", [session_id])
        files = {"file": ("a.txt", CONTENT)}
        post = user.http.post("/files", files=files, data={"session_id": session_id})
        uploading = asyncio.create_task(post)
        await waiting(sql, deleting, 1)
    assert refused(await uploading) == f"Session with id {session_id} does not exist"
    assert set(system.files.iterdir()) == objects
