"""A message with an id is accepted once in its session, from wherever it comes again."""

import asyncio
from uuid import uuid4

import pytest

from tests.agent_bridge.actors import (
    abandoned,
    messages_of,
    unanswered,
    until_invoked,
    wait_for_ever,
)
from tests.master import Master, echo
from tests.users import Json, User


async def test_the_same_message_again_starts_nothing_and_no_frame_comes_twice(
    user: User, master: Master
) -> None:
    message_id = str(uuid4())
    async with user.chat() as chat:
        first = await chat.ask("hello", message_id=message_id)
        await chat.send("hello", message_id=message_id)
        assert (await chat.ask("next"))["seq"] == first["seq"] + 1
    assert messages_of(master) == ["hello", "next"]
    assert len(await user.history(chat.session_id)) == 4


async def test_it_gets_the_answer_on_another_socket_once(user: User, master: Master) -> None:
    message_id = str(uuid4())
    async with user.chat() as chat:
        first = await chat.ask("hello", message_id=message_id)
    async with user.chat(chat.session_id) as again:
        assert await again.ask("hello", message_id=message_id) == first
        await again.send("hello", message_id=message_id)
        assert (await again.ask("next"))["seq"] == first["seq"] + 1
    assert messages_of(master) == ["hello", "next"]


@pytest.mark.parametrize("after", [0, 1])
async def test_who_reconnects_with_after_and_sends_again_gets_each_frame_once(
    after: int, user: User, master: Master
) -> None:
    message_ids = [str(uuid4()) for _ in range(3)]
    async with user.chat() as chat:
        frames = [await chat.ask("hello", message_id=each) for each in message_ids]
    for number in range(8):
        async with user.chat(chat.session_id, after=after) as again:
            for each in message_ids:
                await again.send("hello", message_id=each)
            await again.send(f"last {number}")
            heard: list[Json] = []
            while not heard or f"last {number}" not in str(heard[-1]):
                heard.append(await again.receive_answer())
        told = [frame["seq"] for frame in heard]
        assert sorted(told) == sorted(set(told))
        assert all(frame in heard for frame in frames)
    assert messages_of(master) == ["hello"] * 3 + [f"last {number}" for number in range(8)]


async def test_while_it_is_answered_it_gets_the_one_answer(user: User, master: Master) -> None:
    message_id = str(uuid4())
    master.behave = wait_for_ever
    async with user.chat() as chat, user.chat(chat.session_id) as other:
        with abandoned(master):
            await chat.send("hello", message_id=message_id)
            await until_invoked(master)
            await other.send("hello", message_id=message_id)
            await other.send("second")
            master.behave = echo
            [running, _] = await requests_of(user, chat.session_id, 2)
            await user.http.post(f"/api/requests/{running}/cancel")
            for socket in (chat, other):
                assert (await socket.receive())["response"]["request_id"] == running
                second = await socket.receive_answer()
                assert second["response"]["response"]["response"] == "echo: second"
    assert messages_of(master) == ["hello", "second"]


async def requests_of(user: User, session_id: str, count: int) -> list[str]:
    """The ids of the session's requests, oldest first, as soon as there are so many."""
    ids: list[str] = []
    while len(ids) < count:
        answer = await user.http.get("/api/requests", params={"session_id": session_id})
        ids = [each["request_id"] for each in answer.json()][::-1]
    return ids


async def test_of_many_at_once_one_is_accepted(user: User, master: Master) -> None:
    message_id = str(uuid4())
    async with user.chat() as chat:
        others = [user.chat(chat.session_id) for _ in range(5)]
        sockets = [await each.__aenter__() for each in others]
        await asyncio.gather(*(each.send("hello", message_id=message_id) for each in sockets))
        frames = [await each.receive_answer() for each in sockets]
        for each in others:
            await each.__aexit__(None, None, None)
    assert len({frame["response"]["request_id"] for frame in frames}) == 1
    assert messages_of(master) == ["hello"]


async def test_in_another_session_it_is_another_message(user: User, master: Master) -> None:
    message_id = str(uuid4())
    for _ in range(2):
        async with user.chat() as chat:
            await chat.ask("hello", message_id=message_id)
    assert messages_of(master) == ["hello", "hello"]


async def test_a_frame_cancels_a_running_request(user: User, master: Master) -> None:
    async with user.chat() as chat, unanswered(master, chat):
        [running] = await requests_of(user, chat.session_id, 1)
        await chat.send_frame({"type": "cancel", "request_id": running})
        frame = await chat.receive()
    assert frame["error"] == "The request was cancelled"
    assert frame["response"]["request_id"] == running


async def test_somebody_elses_request_is_cancelled_by_nobody(
    user: User, other_user: User, master: Master
) -> None:
    async with user.chat() as chat, other_user.chat() as others:
        answered = (await others.ask("hello"))["response"]["request_id"]
        for request_id in (answered, str(uuid4())):
            await chat.send_frame({"type": "cancel", "request_id": request_id})
            text = await chat.receive_text()
            assert text.startswith("Message validation failed. Details: ")
            assert f"Request with id '{request_id}' does not exist" in text
        assert (await chat.ask("still here"))["response"]["is_success"]
