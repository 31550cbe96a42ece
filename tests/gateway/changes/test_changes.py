"""The stream that tells which of a user's things have changed."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from gateway.changes.queries import select_states
from shared.postgres.pool import connect
from shared.settings.installation import Settings
from tests.gateway.members import create_flow, insert_agent
from tests.gateway.noted import insert_owner, open_notebook
from tests.sql import Sql, run_sql
from tests.users import FRAME_SECONDS, User

type Event = tuple[list[str], str]


@asynccontextmanager
async def changes(user: User, *, last: str = "") -> AsyncIterator[AsyncIterator[Event]]:
    """What has changed, and the id of each event."""
    headers = {"Last-Event-ID": last} if last else {}
    async with user.http.stream("GET", "/api/changes", headers=headers) as response:
        assert response.status_code == 200, await response.aread()

        async def read() -> AsyncIterator[Event]:
            changed: list[str] = []
            async for line in response.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "data":
                    changed = json.loads(value)["changed"]
                if name == "id":
                    yield changed, value

        yield read()


async def until(stream: AsyncIterator[Event], topic: str) -> str:
    """The id of the first event that says that this has changed."""
    async with asyncio.timeout(FRAME_SECONDS):
        async for changed, id_ in stream:
            if topic in changed:
                return id_
    raise AssertionError("the stream has ended")


async def _register_agent(user: User, _sql: Sql) -> None:
    await user.register_agent("painter", "paints")


async def _connect_agent(user: User, sql: Sql) -> None:
    sql("UPDATE agents SET is_active = NOT is_active WHERE creator_id = %s", user.id)


async def _new_server(user: User, sql: Sql) -> None:
    sql(
        """
        INSERT INTO mcpservers (id, creator_id, name, server_url, is_active)
        VALUES (%s, %s, 'server', 'http://127.0.0.1:9/mcp', true)
        """,
        *(uuid4(), user.id),
    )


async def _new_chat(user: User, _sql: Sql) -> None:
    await user.http.post("/api/chats", json={"session_id": str(uuid4()), "title": "t"})


async def _new_request(user: User, sql: Sql) -> None:
    sql(
        """
        INSERT INTO requests (id, session_id, creator_id, deadline, status, lease_until, claim_id)
        SELECT gen_random_uuid(), session_id, creator_id, 'infinity', 'running', 'infinity',
               gen_random_uuid()
        FROM chatconversations WHERE creator_id = %s
        """,
        user.id,
    )


async def _end_request(user: User, sql: Sql) -> None:
    sql(
        """
        UPDATE requests SET status = 'failed', ended_at = now(), seq = 1 WHERE creator_id = %s
        """,
        user.id,
    )


async def _rename_chat(user: User, _sql: Sql) -> None:
    [chat] = (await user.http.get("/api/chats")).json()["chats"]
    where = {"session_id": chat["session_id"]}
    await user.http.patch("/api/chat", params=where, json={"title": "new"})


async def _delete_chat(user: User, _sql: Sql) -> None:
    [chat] = (await user.http.get("/api/chats")).json()["chats"]
    await user.http.delete("/api/chat", params={"session_id": chat["session_id"]})


STEPS: list[tuple[Callable[[User, Sql], Awaitable[None]], str]] = [
    (_register_agent, "agents"),
    (_connect_agent, "agents"),
    (_new_server, "servers"),
    (_new_chat, "chats"),
    (_new_request, "requests"),
    (_end_request, "requests"),
    (_rename_chat, "chats"),
    (_delete_chat, "chats"),
]


async def test_each_change_of_a_users_things_is_told(user: User, sql: Sql) -> None:
    async with changes(user) as stream:
        assert (await anext(stream))[0] == []
        for step, topic in STEPS:
            await step(user, sql)
            await until(stream, topic)


async def test_a_flow_that_is_made_is_told(user: User, sql: Sql) -> None:
    members = [insert_agent(sql, user.id, name) for name in ("one", "two")]
    async with changes(user) as stream:
        await anext(stream)
        await create_flow(user, *members)
        await until(stream, "flows")


async def test_who_comes_back_is_told_at_once_what_has_changed_since(user: User, sql: Sql) -> None:
    async with changes(user) as stream:
        _, last = await anext(stream)
    await _new_chat(user, sql)
    async with changes(user, last=last) as stream:
        assert (await anext(stream))[0] == ["chats"]
    async with changes(user, last="nonsense") as stream:
        assert (await anext(stream))[0] == []


async def test_nobody_is_told_of_what_others_do(user: User, other_user: User, sql: Sql) -> None:
    async with changes(user) as stream, changes(other_user) as others:
        await anext(stream)
        await anext(others)
        await _new_chat(other_user, sql)
        await until(others, "chats")
        await _register_agent(user, sql)
        assert (await anext(stream))[0] == ["agents"]


async def test_all_who_listen_take_one_statement(settings: Settings) -> None:
    with run_sql(settings) as sql:
        owners = [UUID(insert_owner(settings, sql, 1).first.user_id) for _ in range(3)]
    async with open_notebook(settings) as notebook:

        async def select() -> dict[UUID, Any]:
            async with connect(notebook.database) as connection:
                return dict(await select_states(connection, owners))

        found, sent = await notebook.note(select)
    assert ([*found], len(sent)) == (owners, 1)
    assert len({*found.values()}) == 3


async def test_the_stream_ends_with_its_sign_in(user: User) -> None:
    async with changes(user) as stream:
        await anext(stream)
        await user.http.post("/api/logout")
        async with asyncio.timeout(FRAME_SECONDS):
            assert [each async for each in stream] == []
