"""Answers are told as they are made, to those who ask for it, and to nobody else."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.master import Invocation, Master, answer
from tests.users import Chat, Json, User

PARTS = ["It ", "is ", "twelve ", "o'clock."]


@pytest.fixture
async def chat(user: User) -> AsyncIterator[Chat]:
    async with user.chat(protocol=2) as chat:
        yield chat


async def say(invocation: Invocation) -> Json:
    for part in PARTS:
        await invocation.log(part, "delta")
    return answer("".join(PARTS))


async def receive_all(chat: Chat) -> list[Json]:
    """All frames up to the answer."""
    frames = [await chat.receive()]
    while frames[-1]["type"] != "agent_response":
        frames.append(await chat.receive())
    return frames


async def test_a_message_is_accepted_at_once_and_each_frame_says_which_one_it_is_about(
    chat: Chat, master: Master
) -> None:
    master.behave = say
    message_id = str(uuid4())
    await chat.send("What is the time?", message_id=message_id)
    accepted, *parts, last = await receive_all(chat)
    request_id = last["response"]["request_id"]
    assert accepted == {
        "type": "accepted",
        "message_id": message_id,
        "request_id": request_id,
        "session_id": chat.session_id,
        "seq": 0,
    }
    assert [part["index"] for part in parts] == [*range(len(parts))]
    assert {(part["type"], part["request_id"], part["message_id"]) for part in parts} == {
        ("delta", request_id, message_id)
    }
    assert "".join(part["text"] for part in parts) == "".join(PARTS)
    assert (last["message_id"], last["seq"]) == (message_id, 1)
