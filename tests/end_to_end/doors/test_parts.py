"""Parts of answers where one bridge hears them at its door, and another one runs the request."""

import asyncio
from collections import defaultdict

import pytest

from tests.agent_bridge.stored import select
from tests.end_to_end.doors.visitors import agent_at, log_frame
from tests.master import Invocation, Master, answer
from tests.parts import Dictation, receive_all, receive_text, text_of
from tests.system import System
from tests.users import Json, User

WORDS = [f"word {number}, " for number in range(20)]
TEXT = "".join(WORDS)


@pytest.mark.parametrize("door", [0, 1])
async def test_all_come_in_their_order_whichever_bridge_runs_the_request(
    system: System, user: User, master: Master, door: int
) -> None:
    async with agent_at(system.doors[door], user) as (agent, registered):
        come: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

        async def dictate(invocation: Invocation) -> object:
            ids = invocation.request_id, invocation.session_id
            for word in WORDS:
                await invocation.log(word, "delta")
                await agent.say({**log_frame(word, *ids), "log_level": "delta"})
            await come[invocation.session_id].wait()
            return answer(TEXT)

        async def follow() -> object:
            async with user.chat(protocol=2) as chat:
                await chat.send("Dictate")
                frames: list[Json] = []
                while not (text_of(frames, registered["id"]) == text_of(frames) == TEXT):
                    frames.append(await chat.receive())
                come[chat.session_id].set()
                [last] = await receive_all(chat.receive)
            sql = "SELECT bridge_id FROM requests WHERE id = %s"
            return select(system, sql, last["response"]["request_id"])[0]["bridge_id"]

        master.behave = dictate
        bridges: set[object] = set()
        while len(bridges) < 2:
            bridges |= set(await asyncio.gather(*(follow() for _ in range(6))))


async def test_who_comes_late_gets_the_text_so_far(user: User, master: Master) -> None:
    dictation = Dictation()
    master.behave = dictation.behave
    for _ in range(4):  # whichever bridge claims it
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
