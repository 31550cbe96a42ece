"""A socket that missed notifications reads PostgreSQL while more happens."""

import asyncio
from typing import Any, cast
from uuid import UUID

from attrs import define
from databases.core import Connection

from gateway.chats.queries import select_frames
from shared.postgres.pool import connect, create_database
from tests.master import Invocation, Master, answer
from tests.system import System
from tests.users import Chat, User


@define
class Interrupted:
    """A connection on which a whole request is logged and answered after the first statement."""

    connection: Connection
    chat: Chat
    logged: asyncio.Event

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    async def fetch_all(self, *arguments: Any) -> list[Any]:
        """The rows of a statement; something happens before the next one."""
        rows = await self.connection.fetch_all(*arguments)
        if not self.logged.is_set():
            await self.chat.send("second")
            assert (await self.chat.receive())["type"] == "agent_log"
            self.logged.set()
            assert (await self.chat.receive())["type"] == "agent_response"
        return rows


async def test_frames_that_are_read_while_others_are_stored_have_no_gap(
    system: System, user: User, master: Master
) -> None:
    logged = asyncio.Event()

    async def behave(invocation: Invocation) -> object:
        if invocation.payload["message"] == "second":
            await invocation.log("before the answer")
            await logged.wait()
        return answer("done")

    master.behave = behave
    async with (
        user.chat() as chat,
        create_database(system.settings) as database,
        connect(database) as connection,
    ):
        await chat.ask("first")
        interrupted = cast("Connection", Interrupted(connection, chat, logged))
        frames = await select_frames(interrupted, UUID(user.id), UUID(chat.session_id), 0, 100)
    assert [frame.seq for frame in frames] == [*range(1, len(frames) + 1)]
