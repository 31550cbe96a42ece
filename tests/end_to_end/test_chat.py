"""A chat through a real gateway, bridge and router."""

import json

from tests.master import Invocation, Master, answer
from tests.users import User


async def test_a_message_is_answered_with_its_logs_before_the_answer(
    user: User, master: Master
) -> None:
    async def behave(invocation: Invocation) -> object:
        await invocation.log("one")
        await invocation.log("two")
        return answer("done")

    master.behave = behave
    async with user.chat() as chat:
        await chat.send("hello")
        frames = [await chat.receive() for _ in range(3)]
    assert [frame["seq"] for frame in frames] == [1, 2, 3]
    assert [frame["log"]["message"] for frame in frames[:2]] == ["one", "two"]
    assert frames[2]["response"]["response"] == answer("done")


async def test_the_answer_is_in_the_history_when_its_frame_arrives(
    user: User, master: Master
) -> None:
    async with user.chat() as chat:
        frame = await chat.ask("hello")
        question, stored = await user.history(chat.session_id)
    assert question["content"] == "hello"
    assert json.loads(stored["content"]) == frame["response"]["response"]
    assert master.invocations[0].session_id == chat.session_id
