"""Answers are told as they are made, to those who ask for it, and to nobody else."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest

from tests.agent_bridge.actors import connected_agent, until_active
from tests.end_to_end.socket.front_end import FAULTS
from tests.master import Invocation, Master, answer
from tests.parts import Dictation, receive_all, receive_text, text_of
from tests.system import System
from tests.users import Chat, Json, User

PARTS = ["It ", "is ", "twelve ", "o'clock."]
PER_SECOND = 30
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+")


@pytest.fixture
async def chat(user: User) -> AsyncIterator[Chat]:
    async with user.chat(protocol=2) as chat:
        yield chat


@pytest.fixture
def dictation(master: Master) -> Dictation:
    dictation = Dictation()
    master.behave = dictation.behave
    return dictation


async def say(invocation: Invocation) -> Json:
    for part in PARTS:
        await invocation.log(part, "delta")
    return answer("".join(PARTS))


async def test_a_message_is_accepted_at_once_and_each_frame_says_which_one_it_is_about(
    chat: Chat, master: Master
) -> None:
    master.behave = say
    message_id = str(uuid4())
    await chat.send("What is the time?", message_id=message_id)
    accepted, *parts, last = await receive_all(chat.receive)
    request_id = last["response"]["request_id"]
    assert accepted == {
        "type": "accepted",
        "message_id": message_id,
        "request_id": request_id,
        "session_id": chat.session_id,
        "seq": 0,
    }
    assert {(part["type"], part["request_id"], part["message_id"]) for part in parts} == {
        ("delta", request_id, message_id)
    }
    assert parts[0]["index"] == 0
    assert text_of(parts) == "".join(PARTS)
    assert (last["message_id"], last["seq"]) == (message_id, 1)


async def test_who_comes_late_gets_the_text_so_far_and_then_what_follows(
    user: User, chat: Chat, dictation: Dictation
) -> None:
    await chat.send("What is the time?")
    await chat.receive()
    dictation.say(*PARTS[:2])
    await receive_text(chat.receive, "It is ")
    async with user.chat(chat.session_id, protocol=2) as late:
        [first] = await receive_text(late.receive, "It is ")
        assert first["index"] == 0
        dictation.say("twelve")
        [second] = await receive_text(late.receive, "It is twelve", begun="It is ")
        assert second["index"] == 1
        dictation.end()
        assert await receive_all(late.receive) == [await chat_answer(chat)]
    await receive_nothing_of(chat)


async def chat_answer(chat: Chat) -> Json:
    """The answer, after what parts may be left."""
    *parts, last = await receive_all(chat.receive)
    assert {part["type"] for part in parts} <= {"delta"}
    return last


async def receive_nothing_of(chat: Chat) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(0.1):
            raise AssertionError(await chat.connection.recv())


async def told_without_parts(user: User, master: Master, *, has_parts: bool) -> list[str]:
    """All that the old protocol tells of two messages, as text, without ids and times."""

    async def behave(invocation: Invocation) -> Any:
        for part in PARTS if has_parts else ():
            await invocation.log(part, "delta")
        await invocation.log("at work")
        for part in PARTS if has_parts else ():
            await invocation.log(part, "delta")
        return answer("done")

    master.behave = behave
    async with user.chat() as chat, user.chat(chat.session_id) as other:
        frames = []
        for message_id in (None, str(uuid4())):
            await chat.send("hello", message_id=message_id)
            frames += [await chat.receive_text() for _ in range(2)]
        assert [await other.receive_text() for _ in range(4)] == frames
        await chat.connection.send("nonsense")
        frames += [await chat.receive_text() for _ in range(2)]
    async with user.chat(chat.session_id, after=0) as again:
        frames += [await again.receive_text() for _ in range(4)]
    stored = await user.http.get("/api/logs/list", params={"session_id": chat.session_id})
    frames += [stored.text, (await user.http.get(f"/api/chat?session_id={chat.session_id}")).text]
    return [TIME.sub("<time>", ID.sub("<id>", frame)) for frame in frames]


async def test_with_the_old_protocol_not_one_byte_changes(user: User, master: Master) -> None:
    without = await told_without_parts(user, master, has_parts=False)
    assert without == await told_without_parts(user, master, has_parts=True)
    assert "delta" not in str(without)
    assert without[4].startswith(FAULTS)


async def test_stored_frames_are_those_of_the_old_protocol_and_the_message_s_id(
    user: User, master: Master
) -> None:
    async def behave(invocation: Invocation) -> Any:
        await invocation.log("at work")
        return await say(invocation)

    master.behave = behave
    message_ids = [str(uuid4()), None]
    async with user.chat() as old, user.chat(old.session_id, protocol=2) as new:
        live = []
        for message_id in message_ids:
            await old.send("hello", message_id=message_id)
            live += [one for one in await receive_all(new.receive) if one["type"] != "delta"]
        told = [await old.receive_text() for _ in range(4)]
    async with user.chat(old.session_id, after=0, protocol=2) as again:
        replayed = [await again.receive_text() for _ in range(4)]
    named = [json.dumps(message_ids[number // 2]) for number in range(4)]
    assert replayed == [
        f'{frame[:-1]},"message_id":{id_}}}' for frame, id_ in zip(told, named, strict=True)
    ]
    assert [json.loads(frame) for frame in replayed] == live


async def test_a_message_is_accepted_before_anybody_works_on_it_and_so_is_the_same_again(
    user: User, chat: Chat, dictation: Dictation
) -> None:
    message_id = str(uuid4())
    await chat.send("first")
    await chat.receive()
    await chat.send("second", message_id=message_id)
    accepted = await chat.receive()
    assert accepted["message_id"] == message_id
    async with user.chat(chat.session_id, protocol=2) as other:
        await other.send("second", message_id=message_id)
        assert await other.receive() == accepted
        for text in ("one", "two"):
            dictation.say(text)
            dictation.end()
            told = await receive_all(other.receive)
            assert text_of(told) == text
        assert told[-1]["message_id"] == message_id
        await other.send("second", message_id=message_id)
        assert await other.receive() == accepted
        await receive_nothing_of(other)
    async with user.chat(chat.session_id, protocol=2) as late:
        await late.send("second", message_id=message_id)
        assert await late.receive() == accepted
        assert await late.receive() == told[-1]
        await receive_nothing_of(late)


async def test_what_an_agent_says_is_its_own_and_what_a_stranger_says_is_dropped(
    system: System, user: User, other_user: User, chat: Chat, dictation: Dictation
) -> None:
    agents = [await one.register_agent("a", "b") for one in (user, user, other_user)]
    await chat.send("What is the time?")
    await chat.receive()
    invocation = await dictation.invocations.get()
    ids = invocation.session_id, invocation.request_id
    own, absent, foreign = agents
    async with (
        connected_agent(system, own["jwt"]) as agent,
        connected_agent(system, absent["jwt"]) as unregistered,
        connected_agent(system, foreign["jwt"]) as stranger,
    ):
        for one, registered, owner in ((agent, own, user), (stranger, foreign, other_user)):
            await one.register("a", "b")
            await until_active(owner, registered["id"])
        for one in (stranger, unregistered):
            await one.log("I am nobody", *ids, log_level="delta")
        for text in ("I ", "look"):
            await agent.log(text, *ids, log_level="delta")
        dictation.say("It is")
        frames: list[Json] = []
        while not (text_of(frames, own["id"]) == "I look" and text_of(frames) == "It is"):
            frames.append(await chat.receive())
        dictation.end()
        frames += await receive_all(chat.receive)
    assert {frame.get("agent_id") for frame in frames} == {own["id"], None}
    assert {frame["request_id"] for frame in frames[:-1]} == {invocation.request_id}
    stored = await user.http.get("/api/logs/list", params={"session_id": chat.session_id})
    assert stored.json() == []


async def test_what_is_said_after_the_end_is_dropped(chat: Chat, master: Master) -> None:
    requests: list[Invocation] = []

    async def behave(invocation: Invocation) -> Any:
        for ended in requests:
            await ended.log("too late", "delta")
        requests.append(invocation)
        return await say(invocation)

    master.behave = behave
    for _ in range(3):
        await chat.send("What is the time?")
        assert text_of(await receive_all(chat.receive)) == "".join(PARTS)


async def test_what_is_said_after_a_cancellation_is_dropped(
    user: User, chat: Chat, dictation: Dictation
) -> None:
    await chat.send("What is the time?", message_id=(message_id := str(uuid4())))
    request_id = (await chat.receive())["request_id"]
    dictation.say("It is")
    await receive_text(chat.receive, "It is")
    await chat.send_frame({"type": "cancel", "request_id": request_id})
    dictation.say(" too late")
    *parts, last = await receive_all(chat.receive)
    assert text_of(parts) in {"", " too late"}
    assert (last["error"], last["message_id"]) == ("The request was cancelled", message_id)
    dictation.say(" for this")
    dictation.end()
    await dictation.until_taken()
    await chat.send("What is the time?")
    dictation.say("twelve")
    dictation.end()
    frames = await receive_all(chat.receive)
    assert {frame["request_id"] for frame in frames[:-1]} == {frames[0]["request_id"]}
    assert text_of(frames) == "twelve"


async def test_in_a_chat_that_is_deleted_and_begun_again_nothing_old_is_told(
    user: User, chat: Chat, dictation: Dictation
) -> None:
    for text in ("first", "second"):
        await chat.send(text)
        dictation.say(text)
        await chat.receive()
        await receive_text(chat.receive, text)
        if text == "first":
            await user.http.delete(f"/api/chat?session_id={chat.session_id}")
            dictation.end()
            await dictation.until_taken()
    dictation.end()
    last = await chat.receive()
    assert last["response"]["response"]["response"] == "second"


async def test_no_request_has_more_parts_a_second_than_may_be(
    chat: Chat, dictation: Dictation
) -> None:
    loop = asyncio.get_running_loop()
    await chat.send("Count")
    await chat.receive()
    begun, numbers = loop.time(), [f"{number} " for number in range(300)]

    async def dictate() -> None:
        for number in numbers:
            dictation.say(number)
            await asyncio.sleep(0.003)
        dictation.end()

    dictating = asyncio.create_task(dictate())
    frames = await receive_all(chat.receive)
    await dictating
    assert text_of(frames) == "".join(numbers)
    # One at once, and one for what is left at the end.
    assert len(frames) - 1 <= (loop.time() - begun) * PER_SECOND + 2


FAULTY: list[tuple[str | bytes, bool, str, str]] = [
    ('{"message": 5, "message_id": "%s"}', True, "invalid", "message"),
    ('{"message": "\\ud800", "message_id": "%s"}', False, "invalid", ""),
    ('{"message": "a\\u0000", "message_id": "%s"}', True, "invalid", "message"),
    ('{"message": "a", "message_id": "%s", "files": 1}', True, "invalid", "files"),
    ('{"message": "a", "message_id": "%s!"}', False, "invalid", "message_id"),
    ('{"message": "a", "message_id": ["%s"]}', False, "invalid", "message_id"),
    ('{"message": "%s', False, "invalid", ""),
    ('["%s"]', False, "invalid", ""),
    (b"\xff\x00", False, "invalid", ""),
    ('{"type": "cancel", "request_id": "%s"}', False, "invalid", "request_id"),
    ('{"type": "cancel", "request_id": 5, "message_id": "%s"}', True, "invalid", "request_id"),
]


@pytest.mark.parametrize(("frame", "is_named", "code", "field"), FAULTY)
async def test_what_is_wrong_with_a_frame_is_told_as_json(
    chat: Chat, frame: str | bytes, is_named: bool, code: str, field: str
) -> None:
    message_id = str(uuid4())
    sent = frame % message_id if isinstance(frame, str) else frame
    await chat.connection.send(sent)
    told = await chat.receive()
    assert told.keys() == {"type", "message_id", "code", "error", "details"}
    assert (told["type"], told["code"]) == ("error", code)
    assert told["message_id"] == (message_id if is_named else None)
    assert told["error"].endswith(".")
    assert told["details"]
    if field:
        assert [fault["loc"] for fault in told["details"]] == [[field]]
    await receive_nothing_of(chat)


async def test_a_message_that_is_too_long_is_told_as_json(chat: Chat) -> None:
    message_id = str(uuid4())
    await chat.send("x" * 600_000, message_id=message_id)
    told = await chat.receive()
    assert (told["type"], told["code"]) == ("error", "invalid")
    assert len(str(told)) < 1000
