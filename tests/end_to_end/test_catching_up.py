"""A socket that missed notifications reads PostgreSQL while more happens."""

import asyncio
from typing import Any, cast
from uuid import UUID

import pytest
from attrs import define
from databases.core import Connection

from gateway.streams.frame_queries import select_frames, select_frames_ahead
from shared.postgres.pool import connect, create_database
from tests.master import Invocation, Master, answer
from tests.system import System
from tests.users import Chat, User


@define
class Interrupted:
    """A connection on which a whole request is logged and answered after one of the statements."""

    connection: Connection
    chat: Chat
    logged: asyncio.Event
    left: int
    """Statements until then."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    async def fetch_one(self, *arguments: Any) -> Any:
        """A row; something may happen before the next statement."""
        row = await self.connection.fetch_one(*arguments)
        await self._interrupt()
        return row

    async def fetch_all(self, *arguments: Any) -> list[Any]:
        """The rows; something may happen before the next statement."""
        rows = await self.connection.fetch_all(*arguments)
        await self._interrupt()
        return rows

    async def _interrupt(self) -> None:
        self.left -= 1
        if self.left == 0:
            await self.chat.send("second")
            assert (await self.chat.receive())["type"] == "agent_log"
            self.logged.set()
            assert (await self.chat.receive())["type"] == "agent_response"


@pytest.mark.parametrize("statements", [1, 2])
async def test_frames_that_are_read_while_others_are_stored_have_no_gap(
    system: System, user: User, master: Master, statements: int
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
        interrupted = cast("Connection", Interrupted(connection, chat, logged, statements))
        of = UUID(user.id), UUID(chat.session_id)
        seqs = list[int | None]()
        while ahead := await select_frames_ahead(interrupted, *of, len(seqs), 100, 10**6):
            seqs += [f.seq for f in await select_frames(interrupted, *of, len(seqs), ahead.last)]
    assert seqs == [1, 2, 3]
