"""Chats whose master agent came through a door, at this bridge or at another one."""

import asyncio

from tests.master import Invocation, Master, answer
from tests.users import User


async def test_a_message_is_answered_with_its_logs_before_the_answer(
    user: User, master: Master
) -> None:
    async def behave(invocation: Invocation) -> object:
        for number in range(100):
            await invocation.log(str(number))
        return answer("done")

    master.behave = behave
    for _ in range(4):  # whichever bridge claims it
        async with user.chat() as chat:
            await chat.send("hello")
            frames = [await chat.receive() for _ in range(101)]
        assert [frame["seq"] for frame in frames] == list(range(1, 102))
        assert [frame["log"]["message"] for frame in frames[:100]] == [str(n) for n in range(100)]
        assert frames[100]["response"]["response"] == answer("done")


async def test_chats_at_once_get_each_its_own_answer(user: User, master: Master) -> None:
    async def ask(text: str) -> str:
        async with user.chat() as chat:
            frame = await chat.ask(text)
            return str(frame["response"]["response"]["response"])

    texts = [f"message {number}" for number in range(40)]
    assert await asyncio.gather(*map(ask, texts)) == [f"echo: {text}" for text in texts]
