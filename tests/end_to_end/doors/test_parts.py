"""Parts of answers where one bridge hears them at its door, and another one runs the request."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import cycle
from uuid import UUID

import pytest

from tests.agent_bridge.stored import select
from tests.end_to_end.doors.visitors import agent_at, log_frame
from tests.master import Master
from tests.parts import Dictation, receive_all, receive_text, text_of
from tests.sql import Sql
from tests.system import System
from tests.users import Json, User, insert_user

WORDS = [f"word {number}, " for number in range(20)]
TEXT = "".join(WORDS)


@pytest.fixture
async def users(system: System, sql: Sql) -> AsyncIterator[list[User]]:
    """Two, of whose requests different bridges are told."""
    users: dict[int, User] = {}
    async with AsyncExitStack() as stack:
        while len(users) < 2:
            user = await stack.enter_async_context(insert_user(system, sql))
            users.setdefault(UUID(user.id).int % 2, user)
        yield [*users.values()]


@pytest.mark.parametrize("door", [0, 1])
async def test_all_come_in_their_order_whichever_bridge_runs_the_request(
    system: System, users: list[User], master: Master, door: int
) -> None:
    dictation = Dictation()
    master.behave = dictation.behave
    bridges: set[object] = set()
    for user in cycle(users):
        async with (
            agent_at(system.doors[door], user) as (agent, registered),
            user.chat(protocol=2) as chat,
        ):
            await chat.send("Dictate")
            invocation = await dictation.invocations.get()
            ids = invocation.request_id, invocation.session_id
            for word in WORDS:
                dictation.say(word)
                await agent.say({**log_frame(word, *ids), "log_level": "delta"})
            frames: list[Json] = []
            while not (text_of(frames, registered["id"]) == text_of(frames) == TEXT):
                frames.append(await chat.receive())
            dictation.end()
            assert len(await receive_all(chat.receive)) == 1
        [row] = select(system, "SELECT bridge_id FROM requests WHERE id = %s", ids[0])
        bridges.add(row["bridge_id"])
        if len(bridges) == 2:
            break


async def test_who_comes_late_gets_the_text_so_far(users: list[User], master: Master) -> None:
    dictation = Dictation()
    master.behave = dictation.behave
    for user in users:
        async with user.chat(protocol=2) as chat:
            await chat.send("Dictate")
            await chat.receive()
            dictation.say(*WORDS)
            await receive_text(chat.receive, TEXT)
            async with user.chat(chat.session_id, protocol=2) as late:
                [first] = await receive_text(late.receive, TEXT)
                assert first["index"] == 0
            dictation.end()
            await receive_all(chat.receive)
